import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  Acknowledged,
  Candidate,
  DeleteRules,
  Merged,
  MergeRules,
  Policy,
  SharedField,
  SideRole,
  SideView,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { sameValue } from "../same-value.ts";
import { acknowledgeWrite } from "./acknowledge-write.ts";
import { mergeRecord } from "./merge-record.ts";

const FIELDS: readonly SharedField[] = ["x", "y"].map((name) => ({
  name,
  type: { kind: "decimal" },
  compare: {},
}));
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

/** Everything that one record's sides can be, in a world of its own. */
interface World {
  readonly rules: MergeRules;
  readonly lossy: ReadonlySet<string>;
  /** What is really there. */
  readonly records: Map<string, Values>;
  readonly acknowledged: Map<string, Acknowledged>;
  base: Values | undefined;
  /** Values of edits: made by people; known to be replaced; beaten; shown on a side. */
  readonly made: Map<number, Set<Value>>;
  readonly excused: Set<string>;
  readonly shown: Map<string, Set<string>>;
  next: number;
}

const tag = (index: number, value: Value | undefined): string => `${index}=${String(value)}`;

function store(world: World, side: string, value: Value): Value {
  return world.lossy.has(side) && typeof value === "string" ? value.replace(/\..*/, "") : value;
}

function show(world: World, side: string, index: number, value: Value | undefined): void {
  const shown = world.shown.get(side) ?? new Set();
  world.shown.set(side, shown.add(tag(index, value)));
}

type Step =
  | {
      readonly kind: "edit";
      readonly side: number;
      readonly field: number;
      readonly clears: boolean;
    }
  | { readonly kind: "delete"; readonly side: number }
  | {
      readonly kind: "run";
      readonly unknown: number;
      readonly undelivered: number;
      readonly unheard: number;
      readonly saved: boolean;
    };

function viewOf(world: World, side: string, isUnknown: boolean): SideView {
  const acknowledged = world.acknowledged.get(side);
  const values = world.records.get(side);
  const known = acknowledged === undefined ? {} : { acknowledged };
  if (isUnknown) return { side, presence: "unknown", values: [], ...known };
  if (values !== undefined) return { side, presence: "present", values, ...known };
  return { side, presence: acknowledged === undefined ? "never" : "gone", values: [], ...known };
}

function run(world: World, step: Extract<Step, { kind: "run" }>): Merged {
  const isSet = (mask: number, side: string): boolean => ((mask >> NAMES.indexOf(side)) & 1) === 1;
  const sides = world.rules.roles.map(({ side }) => side);
  const views = sides.map((side) => viewOf(world, side, isSet(step.unknown, side)));
  const merged = mergeRecord(world.rules, world.base, views);
  merged.reasons.forEach((reason, index) => {
    if (reason.kind !== "decided") return;
    for (const { value } of reason.beat) world.excused.add(tag(index, value));
  });
  if (step.saved) {
    world.base = merged.agreed;
    for (const [side, acknowledged] of merged.acknowledged) {
      world.acknowledged.set(side, acknowledged);
    }
    for (const side of merged.forgotten) world.acknowledged.delete(side);
  }
  if (merged.record.kind === "ended") {
    world.base = undefined;
    world.acknowledged.clear();
  }
  for (const write of merged.writes) {
    const { side } = write;
    assert.ok(!isSet(step.unknown, side), "an unknown side is never written");
    if (isSet(step.undelivered, side)) continue;
    const isHeard = step.saved && !isSet(step.unheard, side);
    if (write.kind === "delete") {
      world.records.delete(side);
      if (isHeard) world.acknowledged.delete(side);
      continue;
    }
    const before = world.records.get(side) ?? FIELDS.map(() => null);
    const after = write.values.map((value, index) => {
      if (value === undefined) return before[index];
      show(world, side, index, value);
      return store(world, side, value);
    });
    world.records.set(side, after);
    if (isHeard) {
      const known = write.kind === "create" ? undefined : world.acknowledged.get(side);
      world.acknowledged.set(side, acknowledgeWrite(known, write.values, after));
    }
  }
  return merged;
}

function act(world: World, step: Step): void {
  if (step.kind === "run") {
    run(world, step);
    return;
  }
  const { side } = world.rules.roles[step.side % world.rules.roles.length] as SideRole;
  const before = world.records.get(side);
  if (step.kind === "delete") {
    world.records.delete(side);
    if (before === undefined) return;
    // Whoever deletes has seen what was shown there; that is lost by a person's will.
    for (const shown of world.shown.get(side) ?? []) world.excused.add(shown);
    return;
  }
  const value =
    step.clears && before !== undefined ? null : store(world, side, `${world.next++}.5`);
  const after = [...(before ?? FIELDS.map(() => null))];
  if (before !== undefined) {
    // Whoever edits a field has seen all that was ever shown in it.
    for (const shown of world.shown.get(side) ?? []) {
      if (shown.startsWith(`${step.field}=`)) world.excused.add(shown);
    }
  }
  after[step.field] = value;
  world.records.set(side, after);
  show(world, side, step.field, value);
  if (value !== null)
    world.made.set(step.field, (world.made.get(step.field) ?? new Set()).add(value));
}

const side = fc.nat(4);
const mask = fc.oneof(fc.constant(0), fc.nat(31));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      side,
      field: fc.nat(1),
      clears: fc.constant(false),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), side }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("run" as const),
      unknown: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(31)),
      undelivered: mask,
      unheard: mask,
      saved: fc.boolean(),
    }),
  },
);

const anyDeletes: fc.Arbitrary<DeleteRules> = fc.record({
  propagate: fc.constantFrom("remove" as const, "keep" as const),
  editAgainstDelete: fc.constantFrom(
    "edit-wins" as const,
    "delete-wins" as const,
    "review" as const,
  ),
});

const both = (name: string): SideRole => ({
  side: name,
  directions: FIELDS.map(() => "both"),
  create: true,
  update: true,
  remove: "delete",
  accepts: () => true,
  whenLeaving: "keep",
});

function worldOf(roles: readonly SideRole[], deletes: DeleteRules, isDecided: boolean): World {
  const policies = FIELDS.map(() => (isDecided ? [GREATEST] : []));
  return {
    rules: { fields: FIELDS, roles, policies, deletes },
    lossy: new Set(),
    records: new Map(),
    acknowledged: new Map(),
    base: undefined,
    made: new Map(),
    excused: new Set(),
    shown: new Map(),
    next: 10,
  };
}

const CLEAR_RUN = { kind: "run", unknown: 0, undelivered: 0, unheard: 0, saved: true } as const;

/** Runs until nothing is written; more than this many runs would be a quarrel. */
function settle(world: World): Merged {
  for (let count = 0; count < 6; count += 1) {
    const merged = run(world, CLEAR_RUN);
    if (merged.writes.length === 0) return merged;
  }
  return assert.fail("the sides quarrel: every run writes again");
}

const worlds = { count: fc.integer({ min: 2, max: 5 }), lossy: fc.nat(31) };
const script = fc.array(anyStep, { maxLength: 14 });

test("after any edits, losses and crashes a few quiet runs bring silence and agreement", () => {
  fc.assert(
    fc.property(
      fc.record({ ...worlds, deletes: anyDeletes, isDecided: fc.boolean(), script }),
      ({ count, lossy, deletes, isDecided, script: steps }) => {
        const world: World = {
          ...worldOf(NAMES.slice(0, count).map(both), deletes, isDecided),
          lossy: new Set(NAMES.filter((_, index) => ((lossy >> index) & 1) === 1)),
        };
        for (const step of steps) act(world, step);
        const merged = settle(world);
        assert.deepEqual(run(world, CLEAR_RUN).writes, [], "the next plan is empty too");
        if (merged.record.kind !== "kept") return;
        for (const [name, values] of world.records) {
          for (const [index, field] of FIELDS.entries()) {
            const agreed = merged.agreed[index];
            if (merged.reasons[index]?.kind === "review" || agreed === undefined) continue;
            const value = values[index] as Value;
            const isLossless = !world.lossy.has(name);
            assert.ok(
              sameValue(field, value, agreed) ||
                (!isLossless && value === store(world, name, agreed)),
              `${name}.${field.name} is ${String(value)}, agreed is ${String(agreed)}`,
            );
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});

const anyLivelyRole = (name: string): fc.Arbitrary<SideRole> =>
  fc.record({
    side: fc.constant(name),
    directions: fc.tuple(
      ...FIELDS.map(() => fc.constantFrom("both", "both", "read", "write", "none")),
    ) as fc.Arbitrary<SideRole["directions"]>,
    create: fc.boolean(),
    update: fc.boolean(),
    remove: fc.constantFrom<SideRole["remove"]>("delete", "never", { mark: ["0"] }),
    accepts: fc.constantFrom(
      () => true,
      (values: Values) => Number(values[0]) % 2 < 1,
      (values: Values) => values[1] !== null,
    ),
    whenLeaving: fc.constantFrom("keep", "remove"),
  });

test("whatever the directions, filters and rights of the sides, they come to rest", () => {
  fc.assert(
    fc.property(
      worlds.count.chain((count) => fc.tuple(...NAMES.slice(0, count).map(anyLivelyRole))),
      worlds.lossy,
      anyDeletes,
      script,
      (roles, lossy, deletes, steps) => {
        const world: World = {
          ...worldOf(roles, deletes, true),
          lossy: new Set(NAMES.filter((_, index) => ((lossy >> index) & 1) === 1)),
        };
        for (const step of steps) act(world, step);
        settle(world);
        assert.deepEqual(run(world, CLEAR_RUN).writes, [], "the next plan is empty too");
      },
    ),
    { numRuns: 3000 },
  );
});

test("no value that a person wrote vanishes unless it was beaten, or replaced by who saw it", () => {
  fc.assert(
    fc.property(
      fc.record({ ...worlds, isDecided: fc.boolean(), script }),
      ({ count, lossy, isDecided, script: steps }) => {
        const deletes = { propagate: "remove", editAgainstDelete: "edit-wins" } as const;
        const world: World = {
          ...worldOf(NAMES.slice(0, count).map(both), deletes, isDecided),
          lossy: new Set(NAMES.filter((_, index) => ((lossy >> index) & 1) === 1)),
        };
        for (const step of steps) act(world, step);
        const merged = settle(world);
        for (const [index, values] of world.made) {
          for (const value of values) {
            if (world.excused.has(tag(index, value))) continue;
            const isThere =
              (world.records.size > 0 && merged.agreed[index] === value) ||
              [...world.records.values()].some((record) => record[index] === value);
            assert.ok(isThere, `${tag(index, value)} vanished`);
          }
        }
      },
    ),
    { numRuns: 4000 },
  );
});

test("an edit by one side alone reaches all others", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), fc.nat(4), fc.nat(1), (count, at, field) => {
      const world = worldOf(
        NAMES.slice(0, count).map(both),
        { propagate: "remove", editAgainstDelete: "review" },
        false,
      );
      act(world, { kind: "edit", side: 0, field: 0, clears: false });
      settle(world);
      act(world, { kind: "edit", side: at, field, clears: false });
      const edited = world.records.get(NAMES[at % count] as string);
      settle(world);
      for (const name of NAMES.slice(0, count)) assert.deepEqual(world.records.get(name), edited);
    }),
  );
});
