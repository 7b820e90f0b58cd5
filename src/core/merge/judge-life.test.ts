import assert from "node:assert/strict";
import { test } from "node:test";
import type { Acknowledged, MergeRules, Said, SideView } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { stillDecided, whatIsSaid } from "./judge-life.ts";

const BASE: Values = ["n", "s"];
const RULES: MergeRules = {
  fields: ["name", "status"].map((name) => ({ name, type: { kind: "text" }, compare: {} })),
  roles: ["a", "b", "c"].map((side) => ({
    side,
    directions: ["both", "both"],
    create: true,
    update: true,
    remove: "delete",
    accepts: () => true,
    whenLeaving: "keep",
  })),
  policies: [[], []],
  deletes: { propagate: "remove", editAgainstDelete: "review" },
};
const present = (side: string, values: Values, acknowledged?: Acknowledged): SideView => ({
  side,
  presence: "present",
  values,
  ...(acknowledged === undefined ? {} : { acknowledged }),
});
const knowing = (values: Values): Acknowledged => ({ returned: values, stoodFor: values });
const edited = (name: string): SideView => present("a", [name, "s"], knowing(BASE));
const gone = (side: string, stoodFor: Values = BASE): SideView => ({
  side,
  presence: "gone",
  values: [],
  acknowledged: { returned: stoodFor, stoodFor },
});
const said = (views: readonly SideView[], lost: readonly SideView[]): readonly Said[] =>
  whatIsSaid(RULES, BASE, views, lost);

test("each edited field is said, and who deleted the record", () => {
  assert.deepEqual(said([{ ...edited("new"), modifiedAt: "2026-01-01T00:00:00Z" }], [gone("b")]), [
    { side: "a", field: "name", value: "new", at: "2026-01-01T00:00:00Z" },
    { side: "b", value: null, deleted: true },
  ]);
});

test("of what whoever deleted it had not been told all is said, and of a new record all it has", () => {
  const behind = gone("b", ["old", "s"]);
  const quiet = present("c", BASE, knowing(BASE));
  const told = said([edited("n"), quiet], [behind]).map(({ side, field }) => [side, field]);
  assert.deepEqual(told, [
    ["a", "name"],
    ["c", "name"],
    ["b", undefined],
  ]);
  const another = said([present("c", ["n", null])], [gone("b")]);
  assert.deepEqual(another[0], { side: "c", field: "name", value: "n" });
  assert.equal(another.length, 2);
});

for (const { what, deletes, shown, views, lost, holds } of [
  { what: "the same", deletes: true, views: [edited("new")], lost: ["b"], holds: true },
  { what: "a later edit", deletes: true, views: [edited("newer")], lost: ["b"], holds: false },
  {
    what: "a later deletion",
    deletes: true,
    views: [edited("new")],
    lost: ["b", "c"],
    holds: true,
  },
  { what: "one less to delete", deletes: true, views: [], lost: ["b"], holds: true },
  {
    what: "an old question",
    deletes: true,
    shown: [],
    views: [edited("new")],
    lost: ["b"],
    holds: false,
  },
  { what: "the same", deletes: false, views: [edited("new")], lost: ["b"], holds: true },
  { what: "a later edit", deletes: false, views: [edited("newer")], lost: ["b"], holds: true },
  {
    what: "a later deletion",
    deletes: false,
    views: [edited("new")],
    lost: ["b", "c"],
    holds: false,
  },
  {
    what: "an old question",
    deletes: false,
    shown: [],
    views: [edited("new")],
    lost: ["b"],
    holds: false,
  },
]) {
  test(`to ${deletes ? "delete" : "keep"} it ${holds ? "holds" : "is asked anew"} for ${what}`, () => {
    const before = shown ?? said([edited("new")], [gone("b")]);
    const now = said(
      views,
      lost.map((side) => gone(side)),
    );
    const decision = { deletes, by: "ann", at: 1, shown: before };
    assert.equal(stillDecided(decision, views, now), holds ? decision : undefined);
  });
}

test("to delete it is asked anew where the record was put back on a side that had deleted it", () => {
  const decision = {
    deletes: true,
    by: "ann",
    at: 1,
    shown: said([edited("new")], [gone("b"), gone("c")]),
  };
  const views = [edited("new"), present("c", BASE, knowing(BASE))];
  assert.equal(stillDecided(decision, views, said([edited("new")], [gone("b")])), undefined);
});
