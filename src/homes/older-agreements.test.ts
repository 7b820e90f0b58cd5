import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { postgresMissing, postgresServer } from "../../test/postgres/server.ts";
import { openPostgres } from "../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../drivers/postgres/url.ts";
import { openSqlite } from "../drivers/sqlite/database.ts";
import type { RecordKey } from "../model/record.ts";
import type { Agreements } from "../ports/agreements.ts";
import type { Home } from "../ports/home.ts";
import type { SettledRecord } from "../ports/settlement.ts";
import { createKitClock } from "../testing/kit-clock.ts";
import { createTemporaryFolder } from "../testing/temporary-folder.ts";
import { createPostgresHome } from "./postgres/home.ts";
import { migrateHome as migratePostgres, MIGRATIONS as POSTGRES } from "./postgres/migrate.ts";
import { createSqliteHome } from "./sqlite/home.ts";
import { migrateHome as migrateSqlite, MIGRATIONS as SQLITE } from "./sqlite/migrate.ts";

// Up to version 8 records and sides stood in tables of their own.
const OLD = 8;
const SYNC = "stock";
const clock = createKitClock();

const oldRows = (place: string): readonly string[] => [
  `INSERT INTO ${place}_lockstep_links (sync, link, name, agreed, behind) VALUES
     ('stock', 9, 'nut', '["2"]', 1), ('stock', 7, 'bolt', '["1",{}]', 0), ('other', 8, 'bolt', '[null]', 0)`,
  `INSERT INTO ${place}_lockstep_sides
     (sync, side, key, link, hash, acknowledged, version, digest, agrees) VALUES
     ('stock', 'b', 'B9', 9, 'h3', '[["3"]]', NULL, NULL, 0),
     ('stock', 'a', 'A7', 7, 'h1', '[["1",{}]]', 'v1', 11, 1),
     ('stock', 'b', '7', 7, 'h2', '[["1.0",{}],["1",{}]]', NULL, 4503599627370495, 0),
     ('other', 'a', 'A7', 8, 'h4', '[[null]]', NULL, NULL, 1)`,
];

const key = (text: string): RecordKey => text as RecordKey;
const BOLT = {
  link: 7,
  name: "bolt",
  agreed: ["1", undefined],
  behind: false,
  sides: {
    a: {
      key: key("A7"),
      acknowledged: { returned: ["1", undefined], stoodFor: ["1", undefined] },
      version: "v1",
    },
    b: {
      key: key("7"),
      acknowledged: { returned: ["1.0", undefined], stoodFor: ["1", undefined] },
    },
  },
};
const NUT = {
  link: 9,
  name: "nut",
  agreed: ["2"],
  behind: true,
  sides: { b: { key: key("B9"), acknowledged: { returned: ["3"], stoodFor: ["3"] } } },
};

async function assertKept(home: Home & Agreements): Promise<void> {
  assert.deepEqual(await home.scanLinks(SYNC, 0, 10), [BOLT, NUT]);
  assert.deepEqual(await home.findLinks(SYNC, { name: "bolt" }), [BOLT]);
  assert.deepEqual(await home.findLinks(SYNC, { side: "b", key: key("7") }), [BOLT]);
  assert.equal(await home.linkCount(SYNC), 2);
  assert.equal(await home.knownCount(SYNC, "b"), 2);
  const known = [...(await home.known(SYNC, "b", [key("7"), key("B9"), key("A7")])).values()];
  assert.deepEqual(
    known.map(({ row: _, ...rest }) => rest),
    [
      { key: "7", link: 7, hash: "h2", digest: 4503599627370495 },
      { key: "B9", link: 9, hash: "h3" },
    ],
  );
  assert.deepEqual(await home.doubtful(SYNC, "a", 0, 10), []);
  assert.deepEqual(await home.doubtful(SYNC, "b", 0, 10), [7, 9]);
  assert.deepEqual(await home.candidates(SYNC, 0, 10), [{ link: 9, stored: NUT, staged: [] }]);
  assert.equal(await home.linkCount("other"), 1);
}

async function assertGoesOn(home: Home & Agreements): Promise<void> {
  const lease = await home.acquireLease(SYNC, "me", 60_000);
  const told: SettledRecord = {
    link: 7,
    name: "bolt",
    agreed: ["5", undefined],
    ends: false,
    behind: false,
    sides: [{ side: "b", hash: "h5", ...BOLT.sides.b }],
    unlinked: [],
    operations: [],
    questions: [],
  };
  const settlement = { lease, runId: "r", plan: "p", at: 1, completes: false };
  await home.settle({ ...settlement, records: [told] });
  assert.deepEqual(await home.links(SYNC, [7]), [{ ...BOLT, agreed: ["5", undefined] }]);
  assert.equal((await home.known(SYNC, "b", [key("7")])).get(key("7"))?.hash, "h5");
}

test("what an older home on SQLite agreed on is what it was, and goes on", async () => {
  const folder = createTemporaryFolder();
  const path = join(folder.path, "lockstep.db");
  const database = openSqlite(path);
  try {
    migrateSqlite(database, 1, SQLITE.slice(0, OLD));
    for (const rows of oldRows("")) database.exec(rows);
    const home = createSqliteHome({ database, clock });
    await assertKept(home);
    const reader = openSqlite(path, { readOnly: true });
    await assertKept(createSqliteHome({ database: reader, clock }));
    reader.close();
    await assertGoesOn(home);
  } finally {
    database.close();
    folder.remove();
  }
});

test("and so is that of one on PostgreSQL", { skip: postgresMissing }, async () => {
  const made = await (await postgresServer()).createDatabase();
  const database = openPostgres(parsePostgresUrl(`${made.url}?schema=old`));
  try {
    const tables = { database, schema: "old", location: database.location("old") };
    await migratePostgres(tables, 1, POSTGRES.slice(0, OLD));
    for (const rows of oldRows("old.")) await database.run(rows);
    const home = await createPostgresHome({ database, clock });
    await assertKept(home);
    await assertGoesOn(home);
  } finally {
    await database.close();
  }
});
