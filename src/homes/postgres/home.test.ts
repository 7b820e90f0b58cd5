import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres, type PostgresDatabase } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import type { LoggedChange } from "../../model/change.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, Home, Lease } from "../../ports/home.ts";
import { homeKit } from "../../testing/home-kit.ts";
import { createKitClock } from "../../testing/kit-clock.ts";
import { createPostgresHome } from "./home.ts";
import { MIGRATIONS, migrateHome } from "./migrate.ts";
import type { HomeTables } from "./tables.ts";

let made: Promise<TestDatabase> | undefined;
const testDatabase = (): Promise<TestDatabase> => {
  made ??= postgresServer().then((server) => server.createDatabase());
  return made;
};

if (postgresMissing) {
  test("home: postgres", { skip: postgresMissing });
} else {
  homeKit("postgres", {
    create: async (clock) => {
      const target = parsePostgresUrl((await testDatabase()).schemaUrl());
      const opened: PostgresDatabase[] = [];
      const open = () => {
        const pool = openPostgres(target);
        opened.push(pool);
        return createPostgresHome({ database: pool, clock });
      };
      return {
        home: await open(),
        reopen: open,
        close: async () => {
          await Promise.all(opened.map((pool) => pool.close()));
        },
      };
    },
  });
}

suite("postgres home", { skip: postgresMissing }, () => {
  const clock = createKitClock();
  const opened: PostgresDatabase[] = [];
  let database: TestDatabase;
  let schemas = 0;

  before(async () => {
    database = await testDatabase();
  });
  after(() => Promise.all(opened.map((pool) => pool.close())));

  const newSchema = (): string => {
    schemas += 1;
    return `home_${schemas}`;
  };
  const openPool = (schema: string, url = database.url): PostgresDatabase => {
    const pool = openPostgres(parsePostgresUrl(`${url}?schema=${schema}`));
    opened.push(pool);
    return pool;
  };
  const open = (schema: string): Promise<Home> =>
    createPostgresHome({ database: openPool(schema), clock });
  const tablesOf = (schema: string): HomeTables => {
    const pool = openPool(schema);
    return { database: pool, schema, location: pool.location(schema) };
  };
  const commitOf = (lease: Lease, id: string, parts: Partial<Commit> = {}): Commit => ({
    lease,
    runId: "run",
    stream: "Property",
    at: 1000,
    log: {
      fieldNames: ["Id"],
      entries: [{ kind: "create", key: id as RecordKey, fields: [], image: `["${id}"]` }],
    },
    checkpoints: [{ lane: "walk", cursor: id as Cursor, state: {} }],
    ...parts,
  });
  const logged = async (home: Home, afterId = 0): Promise<LoggedChange[]> => {
    const found: LoggedChange[] = [];
    for await (const change of home.changes({ afterId, oldestFirst: true })) found.push(change);
    return found;
  };

  test("many processes may make one home at once", async () => {
    const schema = newSchema();
    const homes = await Promise.all(Array.from({ length: 4 }, () => open(schema)));
    await homes[0]!.memory("a").remember("b", "c");
    assert.equal(await homes[3]!.memory("a").recall("b"), "c");
  });

  test("of two that race for a lease one gets it, every time", async () => {
    const schema = newSchema();
    const homes = [await open(schema), await open(schema)] as const;
    for (let round = 0; round < 20; round += 1) {
      const sync = `sync ${round}`;
      const results = await Promise.allSettled(
        homes.map((home, index) => home.acquireLease(sync, `owner ${index}`, 60_000)),
      );
      assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
      const refused = results.find((result) => result.status === "rejected");
      assert.equal(refused?.reason.code, "LEASE_HELD");
    }
  });

  test("a lease waits for a commit under way, and the commits after it are fenced", async () => {
    const schema = newSchema();
    const [first, second] = [await open(schema), await open(schema)];
    const old = await first.acquireLease("mls", "one", 1000);
    clock.advance(2000);
    let taken: Promise<Lease> | undefined;
    let isTaken = false;
    const step = async (): Promise<void> => {
      taken = second.acquireLease("mls", "two", 60_000).then((lease) => {
        isTaken = true;
        return lease;
      });
      await waitUntilBlocked(database);
      assert.equal(isTaken, false);
    };
    await first.commit(commitOf(old, "a", { step }));
    const lease = await taken;
    assert.equal(lease?.fence, old.fence + 1);
    await assert.rejects(first.commit(commitOf(old, "b")), { code: "HOME_FENCED" });
    assert.deepEqual(
      (await logged(second)).map(({ key }) => key),
      ["a"],
    );
  });

  test("a commit asked for again is not made again", async () => {
    const schema = newSchema();
    const home = await open(schema);
    const lease = await home.acquireLease("mls", "one", 60_000);
    let steps = 0;
    const step = (): void => {
      steps += 1;
    };
    const park = [{ key: null, image: "bad", problems: [] }];
    for (const id of ["run#1", "run#1", "run#2", "run#2"]) {
      await home.commit(commitOf(lease, "a", { id, step, park }));
    }
    await home.commit(commitOf(lease, "m", { id: "run#2", stream: "Member" }));
    assert.equal(steps, 2);
    assert.equal((await home.parked({}))[0]?.attempts, 2);
    assert.deepEqual(
      (await logged(home)).map(({ key }) => key),
      ["a", "a", "m"],
    );
  });

  test("who follows the log by id misses nothing that others commit meanwhile", async () => {
    const schema = newSchema();
    const homes = await Promise.all(Array.from({ length: 3 }, () => open(schema)));
    const lease = await homes[0]!.acquireLease("mls", "one", 60_000);
    const followed: string[] = [];
    let last = 0;
    const follow = async (): Promise<void> => {
      for (const { id, key } of await logged(homes[0]!, last)) {
        followed.push(key);
        last = id;
      }
    };
    const names = Array.from({ length: 60 }, (_, index) => `K${index}`);
    const write = async (turn: number): Promise<void> => {
      for (let at = turn; at < names.length; at += 3) {
        await homes[turn]!.commit(commitOf(lease, names[at]!, { stream: `S${turn}` }));
      }
    };
    const writing = Promise.all([write(0), write(1), write(2)]);
    while (followed.length < names.length) await follow();
    await writing;
    await follow();
    assert.deepEqual(followed.toSorted(), names.toSorted());
  });

  test("texts that PostgreSQL cannot keep come back as they were", async () => {
    const home = await open(newSchema());
    const lease = await home.acquireLease("mls", "one", 60_000);
    const hostile = ["a\0b", "\ud800", "\x01plain", '\x01"a"'] as RecordKey[];
    const park = hostile.map((key) => ({ key, image: `image ${key}`, problems: [] }));
    await home.commit(commitOf(lease, "x", { park, seen: { walkId: "w", keys: hostile } }));
    assert.deepEqual(
      (await home.parked({})).map(({ key }) => key),
      hostile,
    );
    assert.deepEqual(
      (await home.parked({})).map(({ image }) => image),
      park.map((p) => p.image),
    );
    assert.equal(await home.seenCount("w"), 4);
    assert.deepEqual(await home.unseen("w", [...hostile, "a" as RecordKey]), ["a"]);
    await home.commit(commitOf(lease, "x", { unpark: hostile.slice(0, 3) }));
    assert.deepEqual(
      (await home.parked({})).map(({ key }) => key),
      hostile.slice(3),
    );
  });

  test("an older home is copied to a schema, then migrated; a newer one is refused", async () => {
    const schema = newSchema();
    const home = await open(schema);
    await home.memory("system").remember("probe", "old");
    const next = MIGRATIONS.length + 1;
    const newer = [
      ...MIGRATIONS,
      { version: next, sql: "ALTER TABLE %s._lockstep_audit ADD COLUMN seal text" },
    ];
    await migrateHome(tablesOf(schema), 5, newer);
    assert.equal(await home.memory("system").recall("probe"), "old");
    const backup = `lockstep_backup_v${MIGRATIONS.length}`;
    const old = await open(backup);
    assert.equal(await old.memory("system").recall("probe"), "old");
    await assert.rejects(open(schema), {
      code: "HOME_NEWER",
      message: `The home "${home.location}" has version ${next}; this Lockstep knows versions up to ${MIGRATIONS.length}.`,
    });
  });

  test("a part of a home is refused, and a user's own tables are left alone", async () => {
    const schema = newSchema();
    await database.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.mine (a int)`);
    await open(schema);
    await database.query(`DROP TABLE ${schema}._lockstep_migrations`);
    await assert.rejects(open(schema), { code: "HOME_UNREADABLE" });
    const [row] = await database.query(`SELECT count(*) FROM ${schema}.mine`);
    assert.equal(row?.["count"], "0");
  });

  test("a backup is a home, and goes on where it was taken", async () => {
    const home = await open(newSchema());
    const lease = await home.acquireLease("mls", "one", 60_000);
    await home.commit(commitOf(lease, "a"));
    const where = await home.backup("Before / Sweep");
    assert.match(where, /\?schema=lockstep_backup_before_sweep$/);
    await home.commit(commitOf(lease, "b"));
    const copy = await open("lockstep_backup_before_sweep");
    assert.deepEqual(
      (await logged(copy)).map(({ key }) => key),
      ["a"],
    );
    await copy.commit(commitOf(lease, "c"));
    assert.deepEqual(
      (await logged(copy)).map(({ id, key }) => [id, key]),
      [
        [1, "a"],
        [2, "c"],
      ],
    );
    assert.match(await home.backup("Before / Sweep"), /_sweep_2$/);
  });

  test("a login with no right but to use the tables is enough for a home that is made", async () => {
    const schema = newSchema();
    await open(schema);
    const role = `worker_${schema}`;
    const url = database.url.replace(/\/\/[^@]+@/, `//${role}:least@`);
    await database.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'least'; GRANT USAGE ON SCHEMA ${schema} TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    );
    const home = await createPostgresHome({ database: openPool(schema, url), clock });
    const lease = await home.acquireLease("mls", "one", 60_000);
    await home.commit(commitOf(lease, "a"));
    assert.equal((await logged(home)).length, 1);
    await assert.rejects(home.backup("x"), { code: "HOME_READ_ONLY" });
    const elsewhere = createPostgresHome({ database: openPool(newSchema(), url), clock });
    await assert.rejects(elsewhere, { code: "HOME_READ_ONLY" });
  });
});

/** Returns once some connection of the database waits for another one's lock. */
async function waitUntilBlocked(database: TestDatabase): Promise<void> {
  const blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  while ((await database.query(blocked)).length === 0);
}
