import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { completeValues } from "../../core/diff.ts";
import { compileRules } from "../../core/validation.ts";
import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import { ledgerAddsUp } from "../../model/run.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { StoredRow } from "../../ports/destination.ts";
import { hashText } from "./hash.ts";
import {
  EMPTY_PLAN,
  hashRecord,
  joinPlans,
  needsRow,
  type PagePlan,
  planDeletes,
  planPage,
  sortPage,
} from "./plan-page.ts";

const SCHEMA: StreamSchema = {
  name: "Listing",
  key: ["Key"],
  modifiedAt: "At",
  traits: { changes: true, deletions: true, sweep: true, count: true },
  fields: ["Key", "Status", "Price", "At"].map((name) => ({
    name,
    type: { kind: "text" },
    nullable: true,
  })),
};

const SPEC: StreamSpec = {
  stream: "Listing",
  table: "Listing",
  naming: "source",
  deletes: "remove",
  drift: "evolve",
  overlapMs: 0,
  overlapMaxMs: 0,
  refreshMs: 0,
  history: "full",
  monitor: { status: [], price: [], transitions: [] },
  rules: [
    { field: "Price", check: { kind: "max", value: 1000 }, otherwise: "reject" },
    { field: "Status", check: { kind: "required" }, otherwise: "park" },
  ],
};

const work = {
  schema: SCHEMA,
  spec: SPEC,
  fieldNames: SCHEMA.fields.map(({ name }) => name),
  judge: compileRules(SCHEMA, SPEC.rules),
};

const AT = "2026-01-01T00:00:00Z";
const key = (text: string): RecordKey => text as RecordKey;

function record(
  name: string,
  status: Value | undefined = "Active",
  price: Value | undefined = "100",
): StreamRecord {
  return { key: key(name), values: [name, status, price, AT], modifiedAt: AT };
}

function row(name: string, values: readonly Value[], deletedAt?: number): StoredRow {
  return {
    key: key(name),
    values,
    hash: hashText(JSON.stringify(values)),
    changedAt: 1,
    ...(deletedAt === undefined ? {} : { deletedAt }),
  };
}

/** Plans as a run does: marks of all, rows of those whose hash differs. */
function plan(
  records: readonly StreamRecord[],
  rows: readonly StoredRow[] = [],
  bad: readonly BadRecord[] = [],
  with_: Partial<typeof work> = {},
): PagePlan {
  const parts = { ...work, ...with_ };
  const sorted = sortPage(parts, records, bad);
  const hashed = sorted.accepted.map((each) => hashRecord(each, SCHEMA.fields.length));
  const marks = new Map(
    rows.map((each) => [
      each.key,
      { hash: each.hash, deleted: each.deletedAt !== undefined, modifiedAt: AT },
    ]),
  );
  const needed = new Set(
    hashed.filter((each) => needsRow(each, marks)).map((each) => each.record.key),
  );
  const loaded = new Map(rows.filter((each) => needed.has(each.key)).map((r) => [r.key, r]));
  return planPage(parts, sorted, hashed, { marks, rows: loaded });
}

const figures = ({ ledger }: PagePlan) => {
  const { read, created, updated, unchanged, rejected, parked } = ledger;
  return { read, created, updated, unchanged, rejected, parked };
};
const none = { read: 0, created: 0, updated: 0, unchanged: 0, rejected: 0, parked: 0 };

test("a new record is created, with its whole image", () => {
  const made = plan([record("a")]);
  assert.deepEqual(figures(made), { ...none, read: 1, created: 1 });
  const values = ["a", "Active", "100", AT];
  assert.deepEqual(made.upserts, [{ key: "a", values, hash: hashText(JSON.stringify(values)) }]);
  assert.deepEqual(made.log, [
    { kind: "create", key: "a", fields: [], image: JSON.stringify(values), sourceTime: AT },
  ]);
  assert.deepEqual(made.unpark, ["a"]);
});

test("an equal record changes nothing", () => {
  const same = plan([record("a")], [row("a", ["a", "Active", "100", AT])]);
  assert.deepEqual(same, {
    ...EMPTY_PLAN,
    ledger: { ...EMPTY_PLAN.ledger, read: 1, unchanged: 1 },
    unpark: ["a"],
  });
});

test("a changed field is an update that logs before and after of it alone", () => {
  const made = plan([record("a", "Pending")], [row("a", ["a", "Active", "100", AT])]);
  assert.deepEqual(figures(made), { ...none, read: 1, updated: 1 });
  assert.deepEqual(made.log, [
    {
      kind: "update",
      key: "a",
      fields: [{ field: "Status", before: "Active", after: "Pending" }],
      sourceTime: AT,
    },
  ]);
});

test("an absent field keeps what the row has; without a row it is null", () => {
  const partial = { ...record("a"), values: ["a", "Pending", undefined, AT] };
  const kept = plan([partial], [row("a", ["a", "Active", "100", AT])]);
  assert.deepEqual(kept.upserts[0]?.values, ["a", "Pending", "100", AT]);
  assert.deepEqual(plan([partial]).upserts[0]?.values, ["a", "Pending", null, AT]);
  const silent = { ...record("a"), values: ["a", "Active", undefined, AT] };
  const same = plan([silent], [row("a", ["a", "Active", "100", AT])]);
  assert.deepEqual(figures(same), { ...none, read: 1, unchanged: 1 });
  assert.deepEqual([same.upserts, same.rehash, same.log], [[], [], []]);
});

test("equal values under an old hash are unchanged and get the new one", () => {
  const old = { ...row("a", ["a", "Active", "100", AT]), hash: "of a narrower schema" };
  const made = plan([record("a")], [old]);
  assert.deepEqual(figures(made), { ...none, read: 1, unchanged: 1 });
  assert.deepEqual([made.upserts, made.log], [[], []]);
  assert.equal(made.rehash[0]?.hash, hashText(JSON.stringify(["a", "Active", "100", AT])));
});

test("a row marked deleted comes back as a creation, even with an equal hash", () => {
  const made = plan([record("a")], [row("a", ["a", "Active", "100", AT], 5)]);
  assert.deepEqual(figures(made), { ...none, read: 1, created: 1 });
  assert.equal(made.upserts.length, 1);
});

test("repeats of a key are one record, and counted", () => {
  const made = plan([record("a", "Active"), record("a", "Pending"), record("b")]);
  assert.deepEqual(figures(made), { ...none, read: 3, created: 2, unchanged: 1 });
  assert.deepEqual(
    made.upserts.map(({ values }) => values[1]),
    ["Pending", "Active"],
  );
});

test("rules reject and park; bad records are parked under their key, or under none", () => {
  const problems = [{ code: "RECORD_KEY_MISSING", message: "no key" }];
  const made = plan(
    [record("a", "Active", "5000"), record("b", null)],
    [],
    [
      { image: "{}", problems },
      { key: key("c"), image: "{}", problems },
    ],
  );
  assert.deepEqual(figures(made), { ...none, read: 4, rejected: 1, parked: 3 });
  assert.deepEqual(
    made.park.map((entry) => entry.key),
    [null, "c", "b"],
  );
  assert.deepEqual(JSON.parse(made.park[2]!.image), {
    Key: "b",
    Status: null,
    Price: "100",
    At: AT,
  });
  // What a rule rejects is answered for: nobody needs to look at it any more.
  assert.deepEqual(made.unpark, ["a"]);
  assert.deepEqual([made.upserts, made.log], [[], []]);
});

test("a key that came both good and bad in one page stays parked", () => {
  const made = plan([record("a"), record("b")], [], [{ key: key("a"), image: "{}", problems: [] }]);
  assert.deepEqual(made.unpark, ["b"]);
});

test("history: changes leaves out images, off logs nothing", () => {
  const rows = [row("b", ["b", "Active", "100", AT])];
  const records = [record("a"), record("b", "Closed")];
  const changes = plan(records, rows, [], { spec: { ...SPEC, history: "changes" } });
  assert.deepEqual(
    changes.log.map(({ kind, image, fields }) => [kind, image, fields.length]),
    [
      ["create", undefined, 0],
      ["update", undefined, 1],
    ],
  );
  const off = plan(records, rows, [], { spec: { ...SPEC, history: "off" } });
  assert.deepEqual([off.log, off.upserts.length], [[], 2]);
});

test("deletes log the last image; what is gone already is only counted", () => {
  const rows = new Map([
    [key("a"), row("a", ["a", "Active", "100", AT])],
    [key("b"), row("b", ["b", "Active", "100", AT], 7)],
  ]);
  const keys = [key("a"), key("b"), key("c")];
  const made = planDeletes(work, keys, rows, new Map([[key("a"), "2026-02-02T00:00:00Z"]]));
  assert.deepEqual(made.deletes, ["a"]);
  assert.deepEqual(made.log, [
    {
      kind: "delete",
      key: "a",
      fields: [],
      image: JSON.stringify(["a", "Active", "100", AT]),
      sourceTime: "2026-02-02T00:00:00Z",
    },
  ]);
  assert.deepEqual(made.unpark, keys);
  assert.ok(ledgerAddsUp(made.ledger));
  assert.deepEqual([made.ledger.found, made.ledger.deleted, made.ledger.alreadyGone], [3, 1, 2]);
});

const status = fc.constantFrom<Value | undefined>("Active", "Pending", null, undefined);
const price = fc.constantFrom<Value | undefined>("100", "200", "5000", null, undefined);
const name = fc.constantFrom("a", "b", "c", "d", "e");
const record_ = fc.tuple(name, status, price).map((parts) => ({
  ...record(parts[0]),
  values: [parts[0], parts[1], parts[2], AT],
}));
const row_ = fc.tuple(
  name,
  fc.constantFrom<Value>("Active", "Pending", null),
  fc.constantFrom<Value>("100", "200", null),
  fc.option(fc.constant(9), { nil: undefined }),
);

test("any page adds up, its effect is the records' state, and a second time it is nothing", () => {
  const page = fc.array(record_, { maxLength: 12 });
  const table = fc.uniqueArray(row_, { selector: ([first]) => first, maxLength: 5 });
  fc.assert(
    fc.property(page, table, (records, cells) => {
      const rows = cells.map(([a, b, c, deletedAt]) => row(a, [a, b, c, AT], deletedAt));
      const made = plan(records, rows);
      assert.ok(ledgerAddsUp(made.ledger));
      assert.equal(made.ledger.read, records.length);
      assert.equal(made.log.length, made.ledger.created + made.ledger.updated);
      assert.equal(made.upserts.length, made.log.length);

      const after = new Map(rows.map((each) => [each.key, each]));
      for (const each of made.upserts) {
        after.set(each.key, {
          key: each.key,
          values: completeValues(each.values),
          hash: each.hash,
          changedAt: 2,
        });
      }
      for (const each of made.rehash) {
        after.set(each.key, { ...after.get(each.key)!, hash: each.hash });
      }
      for (const each of sortPage(work, records, []).accepted) {
        const stored = after.get(each.key);
        assert.equal(stored?.deletedAt, undefined);
        each.values.forEach((value, index) => {
          if (value !== undefined) assert.deepEqual(stored?.values[index], value);
        });
        assert.equal(stored?.hash, hashText(JSON.stringify(stored?.values)));
      }
      const again = plan(records, [...after.values()]);
      assert.deepEqual([again.upserts, again.rehash, again.log], [[], [], []]);
      assert.deepEqual([again.ledger.created, again.ledger.updated], [0, 0]);
    }),
  );
});

test("joined plans hold everything of both", () => {
  const a = plan([record("a")]);
  const b = planDeletes(work, [key("b")], new Map([[key("b"), row("b", ["b", null, null, AT])]]));
  const joined = joinPlans(a, b, { ...a.ledger, found: 1, deleted: 1 });
  assert.deepEqual(
    [joined.upserts.length, joined.deletes, joined.log.map(({ kind }) => kind), joined.unpark],
    [1, ["b"], ["create", "delete"], ["a", "b"]],
  );
});
