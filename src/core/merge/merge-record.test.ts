import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  Acknowledged,
  DeleteRules,
  Merged,
  MergeRules,
  Policy,
  RecordReason,
  SharedField,
  SideRole,
  SideView,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { acknowledgeWrite } from "./acknowledge-write.ts";
import { mergeRecord } from "./merge-record.ts";

const FIELDS: readonly SharedField[] = ["name", "status"].map((name) => ({
  name,
  type: { kind: "text" },
  compare: {},
}));

const role = (side: string, more: Partial<SideRole> = {}): SideRole => ({
  side,
  directions: ["both", "both"],
  create: true,
  update: true,
  remove: "delete",
  accepts: () => true,
  whenLeaving: "keep",
  ...more,
});
const REMOVE: DeleteRules = { propagate: "remove", editAgainstDelete: "edit-wins" };
/** Side a is the hub. */
const HUB = { rules: { editAgainstDelete: { hub: "a" } } } as const;
const rulesOf = (roles: readonly SideRole[], deletes = REMOVE): MergeRules => ({
  fields: FIELDS,
  roles,
  policies: [[], []],
  deletes,
});

const same = (values: Values): Acknowledged => ({ returned: values, stoodFor: values });
const BASE: Values = ["n", "s"];
const present = (side: string, values: Values, acknowledged?: Acknowledged): SideView => ({
  side,
  presence: "present",
  values,
  ...(acknowledged === undefined ? {} : { acknowledged }),
});
const quiet = (side: string): SideView => present(side, BASE, same(BASE));
const edited = (side: string): SideView => present(side, ["new", "s"], same(BASE));
const absent = (side: string, presence: SideView["presence"]): SideView => ({
  side,
  presence,
  values: [],
  ...(presence === "never" ? {} : { acknowledged: same(BASE) }),
});
/** Was not told of the base yet when its record went. */
const goneBehind = (side: string): SideView => ({
  side,
  presence: "gone",
  values: [],
  acknowledged: same(["old", "s"]),
});

/** `b:create` or `b:delete`, or `b:update name=new`. */
function writesOf(merged: Merged): readonly string[] {
  return merged.writes.map((write) => {
    if (write.kind !== "update") return `${write.side}:${write.kind}`;
    const told = write.values.flatMap((value, index) =>
      value === undefined ? [] : [`${FIELDS[index]?.name}=${String(value)}`],
    );
    return `${write.side}:update ${told.join(",")}`;
  });
}

type Row = readonly [
  name: string,
  views: readonly SideView[],
  reason: RecordReason["kind"],
  writes: readonly string[],
  more?: { readonly rules?: Partial<DeleteRules>; readonly roles?: readonly SideRole[] },
];

const ALL = [role("a"), role("b"), role("c")];
const KEEP = { rules: { propagate: "keep" } } as const;

const PRESENCE: readonly Row[] = [
  ["all have it", [quiet("a"), quiet("b"), quiet("c")], "kept", []],
  ["one never had it", [quiet("a"), quiet("b"), absent("c", "never")], "kept", ["c:create"]],
  [
    "one is not known now",
    [edited("a"), quiet("b"), absent("c", "unknown")],
    "kept",
    ["b:update name=new"],
  ],
  [
    "gone on one, nobody edited",
    [absent("a", "gone"), quiet("b"), quiet("c")],
    "deleted",
    ["b:delete", "c:delete"],
  ],
  ["gone on two", [absent("a", "gone"), absent("b", "gone"), quiet("c")], "deleted", ["c:delete"]],
  ["gone on all", [absent("a", "gone"), absent("b", "gone"), absent("c", "gone")], "ended", []],
  [
    "gone on one, another not known now",
    [absent("a", "gone"), absent("b", "unknown"), quiet("c")],
    "kept",
    [],
  ],
  ["none is known", [absent("a", "unknown"), absent("b", "gone"), absent("c", "gone")], "kept", []],
  [
    "gone on one, edited on another",
    [absent("a", "gone"), edited("b"), quiet("c")],
    "edit-beat-delete",
    ["a:create", "c:update name=new"],
  ],
  [
    "the same, but the delete wins",
    [absent("a", "gone"), edited("b"), quiet("c")],
    "delete-beat-edit",
    ["b:delete", "c:delete"],
    { rules: { editAgainstDelete: "delete-wins" } },
  ],
  [
    "the same, but a person decides",
    [absent("a", "gone"), edited("b"), quiet("c")],
    "delete-review",
    [],
    { rules: { editAgainstDelete: "review" } },
  ],
  [
    "deleted where the last edit had not arrived",
    [goneBehind("a"), quiet("b"), quiet("c")],
    "edit-beat-delete",
    ["a:create"],
  ],
  [
    "deleted on two, one of which knew",
    [goneBehind("a"), absent("b", "gone"), quiet("c")],
    "deleted",
    ["c:delete"],
  ],
  [
    "deleted where the last edit would never arrive",
    [goneBehind("a"), quiet("b"), quiet("c")],
    "deleted",
    ["b:delete", "c:delete"],
    { roles: [role("a", { directions: ["read", "both"] }), role("b"), role("c")] },
  ],
  [
    "the same, and only a side that is written has it yet",
    [goneBehind("a"), quiet("b")],
    "deleted",
    ["b:delete"],
    { roles: [role("a"), role("b", { directions: ["write", "write"] })] },
  ],
  [
    "gone on one, and another says of a field for the first time that it is blank",
    [absent("a", "gone"), present("b", ["n", null], same(["n"])), quiet("c")],
    "deleted",
    ["b:delete", "c:delete"],
  ],
  [
    "gone on one, and another speaks for the first time",
    [absent("a", "gone"), quiet("b"), present("c", BASE)],
    "edit-beat-delete",
    ["a:create"],
  ],
  [
    "the hub deleted what another edited",
    [absent("a", "gone"), edited("b"), quiet("c")],
    "delete-beat-edit",
    ["b:delete", "c:delete"],
    HUB,
  ],
  [
    "another deleted what the hub edited",
    [edited("a"), absent("b", "gone"), quiet("c")],
    "edit-beat-delete",
    ["b:create", "c:update name=new"],
    HUB,
  ],
  [
    "the hub is silent where one deleted and one edited",
    [quiet("a"), absent("b", "gone"), edited("c")],
    "edit-beat-delete",
    ["a:update name=new", "b:create"],
    HUB,
  ],
  ["deletes stay where they are", [absent("a", "gone"), quiet("b"), quiet("c")], "kept", [], KEEP],
  [
    "and edits go on among the others",
    [absent("a", "gone"), edited("b"), quiet("c")],
    "kept",
    ["c:update name=new"],
    KEEP,
  ],
  [
    "a side that is only written has no say",
    [absent("a", "gone"), quiet("b"), quiet("c")],
    "kept",
    ["a:create"],
    { roles: [role("a", { directions: ["write", "write"] }), role("b"), role("c")] },
  ],
  [
    "gone where the record does not belong says nothing",
    [absent("a", "gone"), quiet("b"), quiet("c")],
    "kept",
    [],
    { roles: [role("a", { accepts: () => false }), role("b"), role("c")] },
  ],
  [
    "a side that never removes keeps its copy",
    [absent("a", "gone"), quiet("b"), quiet("c")],
    "deleted",
    ["c:delete"],
    { roles: [role("a"), role("b", { remove: "never" }), role("c")] },
  ],
  [
    "a side that marks instead",
    [absent("a", "gone"), quiet("b"), quiet("c")],
    "deleted",
    ["b:update status=off", "c:delete"],
    { roles: [role("a"), role("b", { remove: { mark: [undefined, "off"] } }), role("c")] },
  ],
];

for (const [name, views, reason, writes, more] of PRESENCE) {
  test(`presence: ${name}`, () => {
    const rules = rulesOf(more?.roles ?? ALL, { ...REMOVE, ...more?.rules });
    const merged = mergeRecord(rules, BASE, views);
    assert.equal(merged.record.kind, reason);
    assert.deepEqual(writesOf(merged), writes);
  });
}

test("without a base nothing is deleted, whatever was acknowledged", () => {
  const merged = mergeRecord(rulesOf(ALL), undefined, [
    absent("a", "gone"),
    quiet("b"),
    quiet("c"),
  ]);
  assert.equal(merged.record.kind, "first-met");
  assert.deepEqual(writesOf(merged), ["a:create"]);
  const gone = mergeRecord(rulesOf(ALL), undefined, [absent("a", "gone"), absent("b", "never")]);
  assert.equal(gone.record.kind, "kept");
});

test("a record that lives on is forgotten where it is gone, so that it is not deleted next time", () => {
  const merged = mergeRecord(rulesOf(ALL), BASE, [absent("a", "gone"), edited("b"), quiet("c")]);
  assert.deepEqual(merged.forgotten, ["a"]);
  const kept = rulesOf(ALL, { ...REMOVE, propagate: "keep" });
  assert.deepEqual(
    mergeRecord(kept, BASE, [absent("a", "gone"), quiet("b"), quiet("c")]).forgotten,
    [],
  );
});

const TWO = [role("a"), role("b")];
const always = (value: string): Policy => ({
  name: "always",
  decide: () => ({ kind: "value", value, why: "it always is" }),
});

test("an absent field is not null: it is neither a vote nor written", () => {
  const merged = mergeRecord(rulesOf(TWO), BASE, [
    present("a", ["new", null], same(BASE)),
    present("b", ["n", undefined], same(["n", "s"])),
  ]);
  assert.deepEqual(merged.agreed, ["new", null]);
  assert.deepEqual(writesOf(merged), ["b:update name=new"]);
});

test("a field in review is frozen, the others flow on, and it stays a conflict", () => {
  const views = [present("a", ["x", "s"], same(BASE)), present("b", ["y", "t"], same(BASE))];
  const merged = mergeRecord(rulesOf(ALL), BASE, [...views, absent("c", "never")]);
  assert.deepEqual(merged.agreed, ["n", "t"]);
  assert.deepEqual(merged.writes, [
    { side: "a", kind: "update", values: [undefined, "t"] },
    { side: "c", kind: "create", values: [undefined, "t"] },
  ]);
  assert.deepEqual(merged.acknowledged.get("b"), { returned: ["n", "t"], stoodFor: ["n", "t"] });
});

test("a field in review since the first meeting is not part of a record made elsewhere", () => {
  const merged = mergeRecord(rulesOf(ALL), undefined, [
    present("a", ["x", "s"]),
    present("b", ["y", "s"]),
    absent("c", "never"),
  ]);
  assert.deepEqual(merged.agreed, [undefined, "s"]);
  assert.deepEqual(merged.writes, [{ side: "c", kind: "create", values: [undefined, "s"] }]);
});

test("a lossy side is told once: what it answered stands for the agreed value", () => {
  const views = [present("a", ["long", "s"], same(BASE)), quiet("b")];
  const merged = mergeRecord(rulesOf(TWO), BASE, views);
  const [write] = merged.writes;
  assert.ok(write?.kind === "update");
  const known = acknowledgeWrite(merged.acknowledged.get("b"), write.values, ["lo", "s"]);
  assert.deepEqual(known, { returned: ["lo", "s"], stoodFor: ["long", "s"] });
  const again = mergeRecord(rulesOf(TWO), merged.agreed, [
    present("a", ["long", "s"], merged.acknowledged.get("a")),
    present("b", ["lo", "s"], known),
  ]);
  assert.deepEqual(again.writes, []);
  assert.deepEqual(again.agreed, ["long", "s"]);
});

test("an overruled value does not come back when the answer was lost", () => {
  const first = always("x");
  const rules: MergeRules = { ...rulesOf(TWO), policies: [[first], []] };
  const views = [present("a", ["x", "s"], same(BASE)), present("b", ["y", "s"], same(BASE))];
  const merged = mergeRecord(rules, BASE, views);
  assert.deepEqual(writesOf(merged), ["b:update name=x"]);
  const again = mergeRecord(
    rulesOf(TWO),
    merged.agreed,
    views.map((view) => ({ ...view, acknowledged: merged.acknowledged.get(view.side)! })),
  );
  assert.deepEqual(again.agreed, ["x", "s"]);
  assert.deepEqual(writesOf(again), ["b:update name=x"]);
});

test("a read-only side that was overruled is heard once, and its next edit counts", () => {
  const roles = [role("a", { directions: ["read", "read"] }), role("b")];
  const second = always("y");
  const rules: MergeRules = { ...rulesOf(roles), policies: [[second], []] };
  const views = [present("a", ["x", "s"], same(BASE)), present("b", ["y", "s"], same(BASE))];
  const merged = mergeRecord(rules, BASE, views);
  assert.deepEqual(merged.writes, []);
  const next = mergeRecord(rulesOf(roles), merged.agreed, [
    present("a", ["z", "s"], merged.acknowledged.get("a")),
    present("b", ["y", "s"], merged.acknowledged.get("b")),
  ]);
  assert.deepEqual(next.agreed, ["z", "s"]);
  assert.deepEqual(writesOf(next), ["b:update name=z"]);
});

const ONLY_ON = (values: Values): boolean => values[1] !== "off";
const leaving = (whenLeaving: SideRole["whenLeaving"]): MergeRules =>
  rulesOf([role("a"), role("b", { accepts: ONLY_ON, whenLeaving })]);
const OFF = present("a", ["n", "off"], same(BASE));

test("a record that leaves a side's filter is removed there, and its absence says nothing", () => {
  const merged = mergeRecord(leaving("remove"), BASE, [OFF, quiet("b")]);
  assert.deepEqual(writesOf(merged), ["b:delete"]);
  const lost = mergeRecord(leaving("remove"), merged.agreed, [
    present("a", ["n", "off"], merged.acknowledged.get("a")),
    present("b", BASE, merged.acknowledged.get("b")),
  ]);
  assert.deepEqual(writesOf(lost), ["b:delete"], "a lost removal is made again");
  const unheard = mergeRecord(leaving("remove"), merged.agreed, [
    present("a", ["n", "off"], merged.acknowledged.get("a")),
    absent("b", "gone"),
  ]);
  assert.deepEqual(writesOf(unheard), [], "its absence is what was wanted, not a deletion");
});

test("one that is kept is left alone, and told all it missed when it comes back", () => {
  const merged = mergeRecord(leaving("keep"), BASE, [OFF, quiet("b")]);
  assert.deepEqual(writesOf(merged), []);
  assert.equal(merged.acknowledged.get("b")?.left, true);
  const renamed = mergeRecord(leaving("keep"), merged.agreed, [
    present("a", ["new", "off"], merged.acknowledged.get("a")),
    present("b", BASE, merged.acknowledged.get("b")),
  ]);
  assert.deepEqual(writesOf(renamed), []);
  const back = mergeRecord(leaving("keep"), renamed.agreed, [
    present("a", ["new", "s"], renamed.acknowledged.get("a")),
    present("b", BASE, renamed.acknowledged.get("b")),
  ]);
  assert.deepEqual(writesOf(back), ["b:update name=new"]);
});

test("a record that never belonged on a side is not removed from it", () => {
  const second = always("off");
  const rules: MergeRules = { ...leaving("remove"), policies: [[], [second]] };
  const merged = mergeRecord(rules, undefined, [present("a", ["n", "off"]), present("b", BASE)]);
  assert.deepEqual(merged.writes, []);
  const again = mergeRecord(rules, merged.agreed, [
    present("a", ["n", "off"], merged.acknowledged.get("a")),
    present("b", BASE, merged.acknowledged.get("b")),
  ]);
  assert.deepEqual(again.writes, []);
});

test("a side that may not create or update is left as it is", () => {
  const roles = [role("a"), role("b", { update: false }), role("c", { create: false })];
  const merged = mergeRecord(rulesOf(roles), BASE, [edited("a"), quiet("b"), absent("c", "never")]);
  assert.deepEqual(merged.writes, []);
  assert.deepEqual(merged.agreed, ["new", "s"]);
});
