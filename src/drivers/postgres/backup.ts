import type { PostgresTransaction } from "./database.ts";
import { fitIdentifier, qualified, quoteIdentifier } from "./identifier.ts";
import { hasSchema } from "./schema.ts";

/** Bytes kept free for the number that tells apart copies of one label. */
const NAME_BYTES_MAX = 58;

/**
 * Copies tables, with keys and indexes, to a new schema `lockstep_backup_LABEL`, then `…_2` and so
 * on; gives its name. PostgreSQL has no copy of a database from within, so this is what there is
 * without its command-line tools. Needs the right to make schemas in the database.
 */
export async function copyTables(
  transaction: PostgresTransaction,
  from: { readonly schema: string; readonly names: readonly string[]; readonly label: string },
): Promise<string> {
  const safeLabel = from.label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_");
  const wanted = fitIdentifier(`lockstep_backup_${safeLabel}`, NAME_BYTES_MAX);
  let schema = wanted;
  for (let count = 2; await hasSchema(transaction, schema); count += 1) {
    schema = `${wanted}_${count}`;
  }
  await transaction.run(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  for (const name of from.names) {
    const copy = qualified(schema, name);
    const original = qualified(from.schema, name);
    await transaction.run(`CREATE TABLE ${copy} (LIKE ${original} INCLUDING ALL)`);
    await transaction.run(`INSERT INTO ${copy} SELECT * FROM ${original}`);
  }
  return schema;
}
