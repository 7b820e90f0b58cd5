import type { AgreementSql } from "./sql.ts";

/** The one table of what is agreed and said, and its two kinds of rows as relations to read. */
export interface AgreedTables {
  readonly all: string;
  /** Shared records: `id`, `sync`, `link`, `name`, `agreed`, `behind`. */
  readonly links: string;
  /** Sides of shared records: `id`, `sync`, `link`, `side`, `key`, `hash`, `acknowledged`, … */
  readonly sides: string;
}

export function agreedTables(sql: Pick<AgreementSql, "table">): AgreedTables {
  const all = sql.table("agreements");
  return {
    all,
    links: `(SELECT id, sync, link, name, field_values AS agreed, behind FROM ${all}
      WHERE side = '')`,
    sides: `(SELECT id, sync, link, side, key, hash, field_values AS acknowledged, version, digest,
        agrees FROM ${all} WHERE side <> '')`,
  };
}
