import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { review } from "../../core/policies/choose-side.ts";
import type { Conflict, SharedField } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { forgetRule, keepRule, keptRules, type NewRule, withRules } from "./kept-rules.ts";

const by = "ann";
const prefer = (side: string, field?: string): NewRule => ({
  sync: "inventory",
  by,
  at: 7,
  prefer: side,
  ...(field === undefined ? {} : { field }),
});
const when = (values: readonly Value[], value: Value, field = "name"): NewRule => ({
  sync: "inventory",
  by,
  at: 7,
  field,
  when: values,
  value,
});

for (const backend of RECONCILE_BACKENDS)
  describe(`kept rules, home in ${backend}`, () => {
    const open = () =>
      createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] }).context;

    test("each has a number that is never given out again", async () => {
      const { home } = open();
      for (const field of ["name", "price", "tags"]) await keepRule(home, prefer("a", field));
      await forgetRule(home, 3, by, 8);
      await keepRule(home, prefer("b", "tags"));
      assert.deepEqual(
        (await keptRules(home)).map(({ id, field }) => [id, field]),
        [
          [1, "name"],
          [2, "price"],
          [4, "tags"],
        ],
      );
      await forgetRule(home, 1, by, 9);
      assert.deepEqual(
        (await keptRules(home)).map(({ id }) => id),
        [2, 4],
      );
      await assert.rejects(forgetRule(home, 1, by, 9), { code: "USAGE" });
    });

    test("of one subject there is one: of a sync, a field, and the values that meet", async () => {
      const { home } = open();
      const subjects = [
        prefer("a"),
        prefer("a", "name"),
        { ...prefer("a", "name"), sync: "other" },
        when(["x", "y"], "x"),
        when(["x", "z"], "x"),
      ];
      for (const rule of subjects) await keepRule(home, rule);
      assert.equal((await keptRules(home)).length, subjects.length);
      await keepRule(home, prefer("b", "name"));
      await keepRule(home, when(["y", "x"], "y"));
      const rules = await keptRules(home);
      assert.equal(rules.length, subjects.length);
      assert.deepEqual(
        rules.slice(-2).map(({ id }) => id),
        [6, 7],
      );
      assert.deepEqual(
        (await keptRules(home, "other")).map(({ sync }) => sync),
        ["other"],
      );
    });

    test("to keep one and to take it back is audited", async () => {
      const { home } = open();
      await keepRule(home, prefer("a", "name"));
      await forgetRule(home, 1, "bob", 8);
      assert.deepEqual(
        (await home.audit(2)).map(({ actor, at, action, details }) => ({
          actor,
          at,
          action,
          details,
        })),
        [
          {
            actor: "bob",
            at: 8,
            action: "conflict-rule-forget",
            details: { id: 1, sync: "inventory" },
          },
          {
            actor: "ann",
            at: 7,
            action: "conflict-rule",
            details: { id: 1, sync: "inventory", field: "name", prefer: "a" },
          },
        ],
      );
    });

    test("the narrower is asked first, and all of them before the policies", async () => {
      const { home, ...parts } = open();
      const rules = { ...parts.rules, policies: parts.rules.fields.map(() => [review]) };
      const context: ReconcileContext = { ...parts, rules, home };
      for (const rule of [prefer("a"), prefer("b", "name"), when(["x", "y"], "z")]) {
        await keepRule(home, rule);
      }
      const kept = await keptRules(home);
      const ruled = withRules(context, kept);
      const asked = ruled.rules.policies.map((chain) => chain.map(({ name }) => name));
      const all = "rule 1 of ann";
      assert.deepEqual(asked, [
        [all, "review"],
        ["rule 3 of ann", "rule 2 of ann", all, "review"],
        [all, "review"],
        [all, "review"],
      ]);
      assert.notEqual(ruled.configuration, context.configuration);
      assert.notEqual(withRules(context, kept.slice(1)).configuration, ruled.configuration);
      assert.equal(withRules(context, []), context);
    });

    test("each answers as it says", async () => {
      const { home, ...context } = open();
      const field = context.rules.fields.find(({ name }) => name === "tags") as SharedField;
      const conflict: Conflict = {
        field,
        base: [],
        candidates: [
          { side: "a", value: ["x"] },
          { side: "b", value: ["y"] },
        ],
        records: {},
      };
      const answers = [
        { rule: prefer("b"), value: ["y"] },
        { rule: { sync: "inventory", by, at: 7, merge: true } as const, value: ["x", "y"] },
        { rule: when([["y"], ["x"]], ["z"], "tags"), value: ["z"] },
      ];
      for (const { rule, value } of answers) {
        const { rules } = withRules({ ...context, home }, [await keepRule(home, rule)]);
        const answer = rules.policies[3]?.[0]?.decide(conflict);
        assert.deepEqual(answer?.kind === "value" ? answer.value : answer, value);
      }
    });
  });
