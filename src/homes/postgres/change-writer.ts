import { hash } from "node:crypto";
import type { PostgresTransaction } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import { foldStatus } from "../../model/change.ts";
import type { Value } from "../../model/value.ts";
import type { Commit, LogEntry } from "../../ports/home.ts";
import { storeText } from "./stored-text.ts";
import { type HomeTables, tableOf, takeIds } from "./tables.ts";

/** A folded value is kept up to here for the index; a reader compares the whole one again. */
const FOLDED_LENGTH = 120;

/** A folded value as it stands in the index of transitions. */
export const indexedFold = (folded: string): string => storeText(folded.slice(0, FOLDED_LENGTH));

/** Ids of words that are kept once, found or made by a transaction. */
type Learned = ReadonlyMap<string, number>;

/** Writes change logs inside the caller's transaction. */
export interface ChangeWriter {
  /** Gives what `learn` must be told once the transaction is committed, and only then. */
  write(transaction: PostgresTransaction, commit: Commit): Promise<Learned>;
  learn(learned: Learned): void;
}

export function createChangeWriter(tables: HomeTables): ChangeWriter {
  const known = new Map<string, number>();
  return {
    write: (transaction, commit) => writeLog({ transaction, tables, known }, commit),
    learn: (learned) => {
      for (const [word, id] of learned) known.set(word, id);
    },
  };
}

interface Writing {
  readonly transaction: PostgresTransaction;
  readonly tables: HomeTables;
  readonly known: Learned;
}

async function writeLog(writing: Writing, commit: Commit): Promise<Learned> {
  const { transaction, tables } = writing;
  const { log, lease, stream, runId, at } = commit;
  if (log === undefined || log.entries.length === 0) return new Map();
  const count = log.entries.length;
  // Holds off every other log until this commit ends, so that ids appear in their order.
  const first = await takeIds(transaction, tables, "change", count);
  const learned = new Map<string, number>();
  const fieldList = await internList(writing, learned, JSON.stringify(log.fieldNames));
  await transaction.run(
    `INSERT INTO ${tableOf(tables, "commits")}
       (first_id, last_id, sync, stream, run_id, at, field_list)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [first, first + count - 1, lease.sync, stream, runId, at, fieldList],
  );
  await writeEntries(writing, first, log.entries);
  await writeImages(writing, first, log.entries);
  await writeFields(writing, learned, { commit, first, entries: log.entries });
  return learned;
}

async function writeEntries(
  { transaction, tables }: Writing,
  first: number,
  entries: readonly LogEntry[],
): Promise<void> {
  const { parameters } = packColumns([
    entries.map(({ key }) => storeText(key)),
    entries.map(({ kind }) => kind),
    entries.map(({ sourceTime }) => sourceTime ?? null),
    entries.map(({ kind, fields }) =>
      kind === "update"
        ? JSON.stringify(fields.map(({ field, before, after }) => [field, before, after]))
        : null,
    ),
  ]);
  const columns = [0, 1, 2, 3].map((index) => unpack(index, "text", 2)).join(", ");
  await transaction.run(
    `INSERT INTO ${tableOf(tables, "changes")} (id, commit_id, key, kind, source_time, fields)
     SELECT $1::bigint + e.place - 1, $1::bigint, e.key, e.kind, e.source_time, e.fields
     FROM unnest(${columns}) WITH ORDINALITY AS e (key, kind, source_time, fields, place)
     WHERE e.key IS NOT NULL`,
    [first, ...parameters],
  );
}

async function writeImages(
  { transaction, tables }: Writing,
  first: number,
  entries: readonly LogEntry[],
): Promise<void> {
  const ids: string[] = [];
  const images: string[] = [];
  for (const [index, { image }] of entries.entries()) {
    if (image === undefined) continue;
    ids.push(String(first + index));
    images.push(storeText(image));
  }
  if (ids.length === 0) return;
  const { parameters } = packColumns([ids, images]);
  await transaction.run(
    `INSERT INTO ${tableOf(tables, "change_images")} (id, image)
     SELECT i.id, i.image FROM unnest(${unpack(0, "bigint")}, ${unpack(1, "text")}) AS i (id, image)
     WHERE i.id IS NOT NULL`,
    parameters,
  );
}

async function writeFields(
  writing: Writing,
  learned: Map<string, number>,
  log: { readonly commit: Commit; readonly first: number; readonly entries: readonly LogEntry[] },
): Promise<void> {
  const names = new Set<string>();
  for (const { kind, fields } of log.entries) {
    if (kind === "update") for (const { field } of fields) names.add(field);
  }
  if (names.size === 0) return;
  const ids = await internFields(writing, learned, log.commit, [...names]);
  const columns: [string[], string[], (string | null)[], (string | null)[]] = [[], [], [], []];
  for (const [index, { kind, fields }] of log.entries.entries()) {
    if (kind !== "update") continue;
    for (const { field, before, after } of fields) {
      columns[0].push(String(ids.get(field)));
      columns[1].push(String(log.first + index));
      columns[2].push(fold(before));
      columns[3].push(fold(after));
    }
  }
  const types = ["bigint", "bigint", "text", "text"];
  const { parameters } = packColumns(columns);
  await writing.transaction.run(
    `INSERT INTO ${tableOf(writing.tables, "change_fields")} (field, change_id, before, after)
     SELECT f.field, f.change_id, f.before, f.after
     FROM unnest(${types.map((type, index) => unpack(index, type)).join(", ")})
       AS f (field, change_id, before, after)
     WHERE f.field IS NOT NULL`,
    parameters,
  );
}

function fold(value: Value): string | null {
  const folded = foldStatus(value);
  return folded === undefined ? null : indexedFold(folded);
}

/** The id of a list of field names, made where there is none. */
async function internList(
  { transaction, tables, known }: Writing,
  learned: Map<string, number>,
  names: string,
): Promise<number> {
  const digest = hash("sha256", names);
  const found = known.get(digest);
  if (found !== undefined) return found;
  const table = tableOf(tables, "field_lists");
  const row = await transaction.get(`SELECT id FROM ${table} WHERE digest = $1`, [digest]);
  const id = row === undefined ? await takeIds(transaction, tables, "list") : Number(row[0]);
  if (row === undefined) {
    const sql = `INSERT INTO ${table} (id, digest, names) VALUES ($1, $2, $3)`;
    await transaction.run(sql, [id, digest, names]);
  }
  learned.set(digest, id);
  return id;
}

/** The ids of a stream's field names, made where there are none. */
async function internFields(
  { transaction, tables, known }: Writing,
  learned: Map<string, number>,
  { lease: { sync }, stream }: Commit,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const wordOf = (name: string): string => `${sync}\0${stream}\0${name}`;
  const ids = new Map<string, number>();
  const unknown: string[] = [];
  for (const name of names) {
    const id = known.get(wordOf(name));
    if (id === undefined) unknown.push(name);
    else ids.set(name, id);
  }
  if (unknown.length === 0) return ids;
  const table = tableOf(tables, "fields");
  for (const name of unknown) {
    const stored = storeText(name);
    const row = await transaction.get(
      `SELECT id FROM ${table} WHERE name = $1 AND sync = $2 AND stream = $3`,
      [stored, sync, stream],
    );
    const id = row === undefined ? await takeIds(transaction, tables, "field") : Number(row[0]);
    if (row === undefined) {
      const sql = `INSERT INTO ${table} (id, name, sync, stream) VALUES ($1, $2, $3, $4)`;
      await transaction.run(sql, [id, stored, sync, stream]);
    }
    ids.set(name, id);
    learned.set(wordOf(name), id);
  }
  return ids;
}
