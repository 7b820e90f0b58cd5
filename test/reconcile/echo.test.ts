import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { VerifiedSides } from "../../src/engine/reconcile/verify-sides.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { mysqlMissing, mysqlServer } from "../mysql/server.ts";
import { postgresMissing, postgresServer } from "../postgres/server.ts";
import { startEchoApi } from "./echo-api.ts";
import {
  type Contents,
  createPlace,
  type FieldName,
  type Hand,
  type Kind,
  type Place,
  plain,
  type Servers,
} from "./echo-places.ts";

const LONG = "0123456789".repeat(5_000);

/** What people write, in every form that they write it in. */
const HOSTILE: Readonly<Record<FieldName, readonly (string | null)[]>> = {
  words: [
    ...["", null, " x ", "007", "7", "=1+1", "+1", "@x", "0.1", "1e21", "-0", "9007199254740993"],
    ...[
      "null",
      "true",
      "2024-05-01",
      "2024-05-01T10:00:00+02:00",
      "👩‍👩‍👧 and 🇨🇭",
      "\u00e9",
      "e\u0301",
    ],
    ...["a\nb\r\nc\td", `'"\\;--%_$1,`, "\u202eabc\u200b", "\ufeffmark", "nul \0"],
    ...[LONG, "half of a pair \ud83d"],
  ],
  whole: ["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
  amount: [
    ...["0.1", "0.10", "-0", "-0.01", "1e21", "9007199254740993", "0.123456789012"],
    ...["123456789012345678.12", "1000000000000000000000.000000000001"],
  ],
  ratio: ["0.1", "1e21", "-0", "5e-324", "1.7976931348623157e308", "9007199254740992", "-2.5"],
  flag: ["true", "false"],
  day: ["1969-12-31", "1900-02-28", "0001-01-01", "9999-12-31", "2024-02-29"],
  hour: ["00:00:00", "23:59:59", "12:30:00.123456"],
  moment: [
    ...["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
    ...["2016-12-31T23:59:60Z", "2016-12-31T18:59:60-05:00", "2024-02-29T12:00:00.123456Z"],
    ...["2024-02-29T12:00:00+05:30", "2024-02-29 12:00:00-00:00", "2024-02-29T12:00:00.120Z"],
    ...["2024-11-03T01:30:00-06:00", "2024-11-03T01:30:00-07:00", "2024-02-29T12:00:00+14:00"],
  ],
};

/** Ids are what records are told apart by: each of these is another one. */
const IDS = [
  "007",
  "7",
  " 7",
  "=1+1",
  "é",
  "e\u0301",
  "👩‍👩‍👧",
  "A",
  "a",
  "a:b",
  'q"uote',
  "1e3",
  "1000",
];

function handsOf(side: string): readonly Hand[] {
  const values = Object.entries(HOSTILE).flatMap(([field, forms]) =>
    forms.map((written, at): Hand => {
      return { id: `${side}-${field}-${at}`, field: field as FieldName, written };
    }),
  );
  const ids = IDS.map((id): Hand => ({ id: `${id}-${side}`, field: "words", written: id }));
  return [...values, ...ids];
}

/** What a person can put into a place of that kind by its own means. */
const putInto = (place: Place, hands: readonly Hand[]): readonly Hand[] =>
  hands.filter(
    ({ field, written }) =>
      place.holds(field, plain(field, written)) ||
      (place.escapes === true && written?.isWellFormed() === false),
  );

/** The record that a hand wrote, as it is compared. */
function shown({ field, written }: Hand, contents: Contents, id: string): unknown {
  const record = contents.get(id);
  if (record === undefined) return "no such record";
  const others = Object.entries(record).filter(([name, value]) => name !== field && value !== null);
  assert.deepEqual(others, [], `${id} has a value that nobody wrote`);
  return { wanted: plain(field, written), found: record[field] };
}

async function echo(left: Kind, right: Kind): Promise<void> {
  const folder = createTemporaryFolder();
  const needs = (kind: Kind): boolean => left === kind || right === kind;
  const servers: Servers = {
    ...(needs("postgres") ? { postgres: await (await postgresServer()).createDatabase() } : {}),
    ...(needs("mysql") ? { mysql: await (await mysqlServer()).createDatabase() } : {}),
    ...(needs("rest") ? { rest: await startEchoApi() } : {}),
  };
  const places = {
    left: createPlace(left, folder.path, "left", servers),
    right: createPlace(right, folder.path, "right", servers),
  };
  const both = putInto(places.left, putInto(places.right, handsOf("both")));
  const own = {
    left: putInto(places.left, handsOf("left")),
    right: putInto(places.right, handsOf("right")),
  };
  const sides = Object.entries(places).map(([name, { stream }]) => [
    name,
    { system: name, stream },
  ]);
  writeFileSync(
    join(folder.path, "lockstep.yaml"),
    JSON.stringify({
      systems: { left: places.left.system, right: places.right.system },
      syncs: { echo: { sides: Object.fromEntries(sides), match: "id" } },
    }),
  );
  await places.left.fill([...both, ...own.left]);
  await places.right.fill([...both, ...own.right]);
  const lockstep = await openLockstep({
    directory: folder.path,
    env: { ...places.left.env, ...places.right.env },
  });
  try {
    const watch = { signal: new AbortController().signal };
    const { applied, head } = await lockstep.reconcile.run("echo", watch);
    const refused = {
      left: own.right.filter(
        ({ field, written }) => !places.left.holds(field, plain(field, written)),
      ),
      right: own.left.filter(
        ({ field, written }) => !places.right.holds(field, plain(field, written)),
      ),
    };
    const now = { left: await places.left.read(), right: await places.right.read() };
    for (const [from, to] of [
      ["left", "right"],
      ["right", "left"],
    ] as const) {
      for (const hand of own[from]) {
        if (refused[to].includes(hand)) {
          assert.equal(now[to].has(hand.id), false, `${hand.id} cannot be held by ${to}`);
          continue;
        }
        const value = plain(hand.field, hand.written);
        assert.deepEqual(shown(hand, now[to], hand.id), { wanted: value, found: value }, hand.id);
      }
      for (const hand of [...both, ...own[to]]) {
        const value = plain(hand.field, hand.written);
        assert.deepEqual(shown(hand, now[to], hand.id), { wanted: value, found: value }, hand.id);
      }
      assert.equal(applied.sides[to]?.rejected, refused[to].length, applied.troubles.join("\n"));
    }
    assert.deepEqual(head.notes, []);
    const next = await lockstep.reconcile.plan("echo", watch);
    const again: unknown[] = [];
    for await (const { name, operations } of next.records()) {
      // What a side refused is parked: not even that is offered again.
      if (operations.length > 0) again.push({ name, operations });
    }
    assert.deepEqual(again, []);
    const verified = await lockstep.reconcile.verify("echo", {}, watch);
    if (refused.left.length + refused.right.length === 0) assert.ok(verified.isEqual);
    const full = await lockstep.reconcile.verify("echo", { full: true }, watch);
    assert.deepEqual(withoutReads(full), withoutReads(verified), "digests tell the same");
  } finally {
    await lockstep.close();
    await servers.rest?.close();
    folder.remove();
  }
}

const withoutReads = ({ sides, ...rest }: VerifiedSides): unknown => ({
  ...rest,
  sides: sides.map(({ read: _, ...side }) => side),
});

const KINDS: readonly Kind[] = ["sqlite", "postgres", "mysql", "csv", "jsonl", "xlsx", "rest"];

describe("the echo test", () => {
  for (const [at, left] of KINDS.entries()) {
    for (const right of KINDS.slice(at)) {
      const kinds = [left, right];
      const skip =
        (kinds.includes("postgres") && postgresMissing) ||
        (kinds.includes("mysql") && mysqlMissing);
      test(
        `${left} and ${right}: hostile values arrive, and the next plan is empty`,
        {
          skip,
        },
        () => echo(left, right),
      );
    }
  }
});
