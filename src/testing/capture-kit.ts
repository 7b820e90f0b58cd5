import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Cursor } from "../model/cursor.ts";
import type { CaptureStep, Connector } from "../ports/connector.ts";
import { headOf, newsSince, outcomeWords, tableScene, writeToTable } from "./table-scene.ts";

const { signal } = new AbortController();

/** A database with tables, the connector under test, and somebody else who has it open. */
export interface CaptureSubject {
  readonly connector: Connector;
  /** Says statements as somebody else. */
  run(sql: string): Promise<void>;
  /** Rows as objects or lists of values. */
  rows(sql: string): Promise<readonly object[]>;
  /** Absent where only one at a time may write. */
  readonly writers?: {
    readonly rounds: number;
    /** What each says first in a transaction. */
    readonly begin: readonly string[];
    /** One more person with a connection of their own. */
    another(): Promise<Person>;
  };
}

export interface Person {
  run(sql: string): Promise<void>;
  close(): Promise<void>;
}

export interface CaptureKitOptions {
  /** Why there is no such database here. */
  readonly skip?: string | false;
  /** Makes a database by these statements; all of it ends with the test. */
  open(t: TestContext, sql: string): Promise<CaptureSubject>;
  /** Tables of every sort that can be captured, the first `a` with the key `id`. */
  readonly tables: { readonly sql: string; readonly streams: readonly string[] };
  /**
   * Asks for all that the database's catalog knows of tables, triggers and what belongs to them.
   */
  readonly catalog: string;
  /** Makes every note older than notes are kept. */
  readonly age: string;
}

/**
 * Registers, with `node:test`, what holds of capture by triggers in every database: what
 * `Connector.capture` says, and that reads of changes and deletions lose nothing. What one
 * database does its own way is tested beside its connector.
 */
export function captureKit(name: string, options: CaptureKitOptions): void {
  const { open, skip = false } = options;
  const behaviour = (title: string, check: (t: TestContext) => Promise<void>): void => {
    test(title, { skip }, check);
  };
  describe(`capture kit: ${name}`, () => {
    behaviour("install and uninstall are idempotent and leave nothing behind", (t) =>
      leavesNothing(t, options),
    );
    behaviour("a table that is not ours is left alone, and all or nothing is installed", (t) =>
      leavesOthersAlone(t, options),
    );
    behaviour("own writes do not come back, those of others do", async (t) =>
      tellsOthersWrites(await open(t, TABLE_WITH_NOTES)),
    );
    behaviour("a cursor of before, and of another installation, is told as expired", async (t) =>
      tellsExpired(await open(t, TABLE_WITH_TIMES)),
    );
    behaviour("what was passed is removed when it is old, and a slow reader is told", (t) =>
      removesWhatIsOld(t, options),
    );
    behaviour("concurrent writers with long transactions never lose a change", async (t) =>
      losesNothing(t, await open(t, "CREATE TABLE t (id int PRIMARY KEY, n int)")),
    );
  });
}

export async function capture(
  { connector }: Pick<CaptureSubject, "connector">,
  action: "install" | "uninstall",
  ...streams: readonly string[]
): Promise<readonly CaptureStep[]> {
  const named = streams.length === 0 ? {} : { streams };
  return (await connector.capture?.({ action, ...named, dryRun: false }, signal)) ?? [];
}

async function leavesNothing(t: TestContext, options: CaptureKitOptions): Promise<void> {
  const { sql, streams } = options.tables;
  const subject = await options.open(t, sql);
  const { connector } = subject;
  const catalog = (): Promise<unknown> => subject.rows(options.catalog);
  const before = await catalog();
  const dry = await connector.capture?.({ action: "install", streams, dryRun: true }, signal);
  assert.equal(dry?.length, streams.length);
  assert.deepEqual(await catalog(), before);
  await capture(subject, "install", ...streams);
  const installed = await catalog();
  assert.notDeepEqual(installed, before);
  const again = await capture(subject, "install", ...streams);
  assert.deepEqual(
    again.map(({ statements }) => statements),
    streams.map(() => []),
  );
  assert.deepEqual(await catalog(), installed);
  const { facts } = await connector.check(signal);
  assert.match(facts.join("\n"), /^a: key id; changes and deletions by capture/m);
  await capture(subject, "uninstall");
  assert.deepEqual(await catalog(), before);
  await capture(subject, "uninstall");
}

async function leavesOthersAlone(t: TestContext, options: CaptureKitOptions): Promise<void> {
  const subject = await options.open(
    t,
    "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE _lockstep_outbox (mine int)",
  );
  await assert.rejects(capture(subject, "install", "a"), { code: "DESTINATION_FOREIGN_TABLE" });
  await subject.run("DROP TABLE _lockstep_outbox");
  const before = await subject.rows(options.catalog);
  await assert.rejects(capture(subject, "install", "a", "nothing"), { code: "STREAM_UNKNOWN" });
  assert.deepEqual(await subject.rows(options.catalog), before);
}

const TABLE_WITH_NOTES = `
  CREATE TABLE t (id varchar(9) PRIMARY KEY, note varchar(9));
  INSERT INTO t VALUES ('1', 'x'), ('2', 'x'), ('3', 'x');`;

async function tellsOthersWrites(subject: CaptureSubject): Promise<void> {
  const scene = tableScene(subject.connector);
  await capture(subject, "install", "t");
  const schema = await scene.schema("t");
  const { changes, events, deletions } = schema.traits;
  assert.deepEqual([changes, events, deletions], [true, true, true]);
  const mine = { schema, origin: "sync/side" };
  const head = await headOf(subject, mine);
  const outcomes = await writeToTable(
    scene,
    "t",
    [
      { key: "2", update: { note: "y" } },
      { key: "1", remove: true },
      { key: "4", create: { id: "4", note: "y" } },
    ],
    mine,
  );
  assert.deepEqual(outcomeWords(outcomes), ["written", "written", "written"]);
  const own = await newsSince(subject, mine, head);
  assert.deepEqual([own.records, own.gone], [[], []]);
  for (const query of [{ schema, origin: "another/side" }, { schema }]) {
    const other = await newsSince(subject, query, head);
    assert.deepEqual([other.records.toSorted(), other.gone], [["2", "4"], ["1"]]);
  }
  await subject.run("UPDATE t SET note = 'z' WHERE id = '4'; DELETE FROM t WHERE id = '3'");
  const later = await newsSince(subject, mine, own.cursor);
  assert.deepEqual([later.records, later.gone], [["4"], ["3"]]);
  assert.deepEqual((await newsSince(subject, mine, own.cursor, "deletions")).gone, ["3"]);
  assert.deepEqual((await newsSince(subject, mine, later.cursor)).records, []);
}

const TABLE_WITH_TIMES = `
  CREATE TABLE t (id int PRIMARY KEY, updated_at timestamp);
  INSERT INTO t VALUES (1, '2024-01-01 00:00:00');`;

async function tellsExpired(subject: CaptureSubject): Promise<void> {
  const { schema } = tableScene(subject.connector);
  const expired = { code: "CURSOR_EXPIRED", context: { stream: "t" } };
  const timed = await headOf(subject, { schema: await schema("t") });
  await capture(subject, "install", "t");
  const query = { schema: await schema("t") };
  await assert.rejects(newsSince(subject, query, timed), expired);
  const head = await headOf(subject, query);
  await capture(subject, "uninstall");
  const uncaptured = { schema: await schema("t") };
  await assert.rejects(newsSince(subject, uncaptured, head), expired);
  await capture(subject, "install", "t");
  await assert.rejects(newsSince(subject, { schema: await schema("t") }, head), expired);
}

async function removesWhatIsOld(t: TestContext, options: CaptureKitOptions): Promise<void> {
  const subject = await options.open(t, "CREATE TABLE t (id int PRIMARY KEY)");
  await capture(subject, "install", "t");
  const query = { schema: await tableScene(subject.connector).schema("t") };
  const since = (cursor: Cursor) => newsSince(subject, query, cursor);
  const noted = async (): Promise<number> =>
    Number(firstOf(await subject.rows("SELECT count(*) FROM _lockstep_outbox"))[0]);
  const slow = await headOf(subject, query);
  const twelve = Array.from({ length: 12 }, (_, at) => `(${at + 1})`).join(", ");
  await subject.run(`INSERT INTO t VALUES ${twelve}`);
  const { cursor, records } = await since(slow);
  assert.equal(records.length, 12);
  await since(cursor);
  assert.equal(await noted(), 12);
  await subject.run(options.age);
  await subject.run("INSERT INTO t VALUES (13)");
  // Still only what the reader has passed for good: the cursor that it comes with.
  assert.equal((await since(slow)).records.length, 13);
  assert.equal(await noted(), 13);
  assert.deepEqual((await since(cursor)).records, ["13"]);
  assert.equal(await noted(), 1);
  await assert.rejects(since(slow), { code: "CURSOR_EXPIRED" });
}

/**
 * Three people whose transactions overlap in every order, with a reader and walks at many steps
 * between. Nothing of it may be lost: neither to the reader nor to who walks after a head and then
 * reads on from that head.
 */
async function losesNothing(t: TestContext, subject: CaptureSubject): Promise<void> {
  const { writers } = subject;
  if (writers === undefined) return t.skip("only one at a time may write to this database");
  await capture(subject, "install", "t");
  const query = { schema: await tableScene(subject.connector).schema("t") };
  const people = await Promise.all([1, 2, 3].map(() => writers.another()));
  const found = new Set<string>();
  let cursor = await headOf(subject, query);
  const collect = async (): Promise<void> => {
    const news = await newsSince(subject, query, cursor);
    for (const key of [...news.records, ...news.gone]) found.add(key);
    cursor = news.cursor;
  };
  const heads: { readonly cursor: Cursor; readonly walked: readonly string[] }[] = [];
  let next = 0;
  for (let round = 0; round < writers.rounds; round += 1) {
    const steps = people.map((person, at) => {
      const own = [...Array(((round + at) % 3) + 1)].map(() => {
        next += 1;
        return `INSERT INTO t VALUES (${next}, ${round})`;
      });
      return [...writers.begin, ...own, "COMMIT"].map((sql) => ({ person, sql }));
    });
    await interleave(steps, round, async (tick) => {
      if (tick % 2 === 0) await collect();
      if (tick % 5 !== 0) return;
      const head = await headOf(subject, query);
      heads.push({ cursor: head, walked: firstOf(await subject.rows("SELECT id FROM t")) });
    });
  }
  await collect();
  const all = Array.from({ length: next }, (_, at) => String(at + 1));
  const missing = (known: ReadonlySet<string>) => all.filter((key) => !known.has(key));
  assert.deepEqual(missing(found), []);
  assert.equal(found.size, next);
  for (const head of heads.filter((_, at) => at % 7 === 0)) {
    const { records } = await newsSince(subject, query, head.cursor);
    assert.deepEqual(missing(new Set([...head.walked, ...records])), []);
  }
  for (const person of people) await person.close();
}

/** Takes the steps by a rule that differs in every round; each person keeps their own order. */
async function interleave(
  steps: readonly { readonly person: Person; readonly sql: string }[][],
  round: number,
  between: (tick: number) => Promise<void>,
): Promise<void> {
  for (let tick = round; steps.some((own) => own.length > 0); tick = (tick * 7 + 3) % 1009) {
    const open = steps.filter((own) => own.length > 0);
    const step = open[tick % open.length]?.shift();
    if (step !== undefined) await step.person.run(step.sql);
    await between(tick);
  }
}

/** The first value of each row. */
const firstOf = (rows: readonly object[]): readonly string[] =>
  rows.map((row) => String(Object.values(row)[0]));
