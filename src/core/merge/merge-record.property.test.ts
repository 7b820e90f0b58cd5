import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  Acknowledged,
  Candidate,
  DeleteRules,
  Policy,
  SharedField,
  SideRole,
  SideView,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { mergeRecord } from "./merge-record.ts";

const NAMES = ["a", "b", "c", "d", "e"];

/** Decides every conflict, the same way whatever the order. */
const GREATEST: Policy = {
  name: "greatest",
  decide: ({ candidates }) => {
    const sorted = [...candidates].sort((a, b) => (String(a.value) < String(b.value) ? 1 : -1));
    const [first] = sorted as [Candidate];
    return { kind: "value", value: first.value, from: first.side, why: "it is the greatest" };
  },
};

const anyDeletes: fc.Arbitrary<DeleteRules> = fc.record({
  propagate: fc.constantFrom("remove" as const, "keep" as const),
  editAgainstDelete: fc.constantFrom(
    "edit-wins" as const,
    "delete-wins" as const,
    "review" as const,
  ),
});

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, "", "a", "A ", "1", "1.50", 0, true, [], ["b", "a"], ["a", "b"]),
  fc.string(),
);
const anyValues = fc.array(fc.option(anyValue, { nil: undefined }), { maxLength: 3 });
const anyAcknowledged: fc.Arbitrary<Acknowledged> = fc.record(
  { returned: anyValues, stoodFor: anyValues, left: fc.constant(true as const) },
  { requiredKeys: ["returned", "stoodFor"] },
);
const anyView = (name: string): fc.Arbitrary<SideView> =>
  fc.record(
    {
      side: fc.constant(name),
      presence: fc.constantFrom("present", "gone", "never", "unknown"),
      values: anyValues,
      modifiedAt: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
      acknowledged: anyAcknowledged,
    },
    { requiredKeys: ["side", "presence", "values"] },
  );
const anyRole = (name: string): fc.Arbitrary<SideRole> =>
  fc.record({
    side: fc.constant(name),
    directions: fc.array(fc.constantFrom("read", "write", "both", "none"), { maxLength: 3 }),
    create: fc.boolean(),
    update: fc.boolean(),
    remove: fc.oneof(
      fc.constantFrom("delete" as const, "never" as const),
      fc.record({ mark: anyValues }),
    ),
    accepts: fc.constantFrom(
      () => true,
      () => false,
      (values: Values) => values[0] !== "a",
    ),
    whenLeaving: fc.constantFrom("keep", "remove"),
  });
const anyField: fc.Arbitrary<SharedField> = fc.record({
  name: fc.constantFrom("x", "y", "z"),
  type: fc.constantFrom<SharedField["type"]>(
    { kind: "text" },
    { kind: "decimal" },
    { kind: "timestamp" },
    { kind: "list", of: { kind: "text" }, ordered: false },
    { kind: "list", of: { kind: "text" }, ordered: true },
  ),
  compare: fc.record(
    { trim: fc.boolean(), ignoreCase: fc.boolean(), blankIsNull: fc.boolean() },
    { requiredKeys: [] },
  ),
});
const anyCase = fc.integer({ min: 2, max: 5 }).chain((count) =>
  fc.record({
    rules: fc.record({
      fields: fc.tuple(anyField, anyField, anyField),
      roles: fc.tuple(...NAMES.slice(0, count).map(anyRole)),
      policies: fc.constantFrom([], [[GREATEST], [], [GREATEST]], [[], [GREATEST]]),
      deletes: anyDeletes,
    }),
    base: fc.option(anyValues, { nil: undefined }),
    views: fc.tuple(...NAMES.slice(0, count).map(anyView)),
    seed: fc.nat(),
  }),
);

test("whatever the views: nothing is thrown, and order of sides does not matter", () => {
  fc.assert(
    fc.property(anyCase, ({ rules, base, views, seed }) => {
      const merged = mergeRecord(rules, base, views);
      const turn = <T>(items: readonly T[]): T[] => {
        const at = seed % items.length;
        return [...items.slice(at), ...items.slice(0, at)].reverse();
      };
      const turned = mergeRecord({ ...rules, roles: turn(rules.roles) }, base, turn(views));
      assert.deepEqual(turned, merged);
    }),
    { numRuns: 3000 },
  );
});

test("whatever the views: only what is known is written, and nothing is deleted without a base", () => {
  fc.assert(
    fc.property(anyCase, ({ rules, base, views }) => {
      const merged = mergeRecord(rules, base, views);
      for (const write of merged.writes) {
        const view = views.find(({ side: name }) => name === write.side) as SideView;
        const role = rules.roles.find(({ side: name }) => name === write.side) as SideRole;
        assert.ok(base !== undefined || write.kind !== "delete");
        if (write.kind === "create") {
          assert.ok(role.create && (view.presence === "never" || view.presence === "gone"));
          continue;
        }
        assert.equal(view.presence, "present");
        if (write.kind === "delete") {
          assert.equal(role.remove, "delete");
          continue;
        }
        if (typeof role.remove === "object" && merged.record.kind !== "kept") continue;
        if (role.whenLeaving === "remove" && !role.accepts(merged.agreed)) continue;
        write.values.forEach((value, index) => {
          if (value === undefined) return;
          assert.ok(role.update && ["write", "both"].includes(role.directions[index] ?? "none"));
          assert.notEqual(view.values[index], undefined, "an absent field is never written");
          assert.notEqual(merged.reasons[index]?.kind, "review", "a field in review is frozen");
        });
      }
      for (const [name] of merged.acknowledged) {
        assert.equal(views.find((view) => view.side === name)?.presence, "present");
      }
    }),
    { numRuns: 3000 },
  );
});
