import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterAnswer, beginConcurrency, type Concurrency } from "./concurrency.ts";

const answers = fc.array(
  fc.record({ answer: fc.constantFrom("good", "overloaded"), isOld: fc.boolean() }),
);

const after = (
  begun: Concurrency,
  steps: readonly { answer: "good" | "overloaded" }[],
): Concurrency =>
  steps.reduce((state, { answer }) => afterAnswer(state, answer, state.halvings), begun);

test("the limit stays between 1 and the most allowed, rises by one and falls by half", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), answers, (max, steps) => {
      let state = beginConcurrency(max, undefined, 0);
      assert.equal(state.limit, max);
      for (const { answer, isOld } of steps) {
        const next = afterAnswer(state, answer, isOld ? state.halvings - 1 : state.halvings);
        const half = Math.max(1, Math.floor(state.limit / 2));
        const allowed = isOld
          ? [state.limit]
          : answer === "overloaded"
            ? [half]
            : [state.limit, Math.min(max, state.limit + 1)];
        assert.ok(allowed.includes(next.limit), `${state.limit} became ${next.limit}`);
        assert.ok(next.limit >= 1 && next.limit <= max);
        state = next;
      }
    }),
  );
});

test("after any history good answers lead back to all that is allowed, in rounds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), answers, (max, steps) => {
      let state = after(beginConcurrency(max, undefined, 0), steps as never);
      for (let rounds = state.limit; rounds < max; rounds += 1) {
        const { limit } = state;
        for (let count = 0; count < limit; count += 1)
          state = afterAnswer(state, "good", state.halvings);
        assert.ok(state.limit >= limit && state.limit <= limit + 1);
      }
      for (let count = 0; count < max; count += 1)
        state = afterAnswer(state, "good", state.halvings);
      assert.equal(state.limit, max);
    }),
  );
});

test("refusals of one moment halve once", () => {
  const begun = beginConcurrency(8, undefined, 0);
  const refused = [1, 2, 3, 4].reduce(
    (state) => afterAnswer(state, "overloaded", begun.halvings),
    begun,
  );
  assert.deepEqual([refused.limit, refused.halvings], [4, 1]);
});

test("what was learnt holds for an hour, within what is allowed now", () => {
  const note = { limit: 3, max: 8, at: 0 };
  assert.equal(beginConcurrency(8, note, 3_599_999).limit, 3);
  assert.equal(beginConcurrency(2, note, 1).limit, 2);
  assert.equal(beginConcurrency(8, note, 3_600_000).limit, 8);
});
