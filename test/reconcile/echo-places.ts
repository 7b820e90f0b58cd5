import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { readSheet } from "read-excel-file/node";
import writeXlsx from "write-excel-file/node";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import { canonicalDecimal } from "../../src/model/decimal.ts";
import { parseTimestamp } from "../../src/model/timestamp.ts";
import type { TestDatabase as MysqlDatabase } from "../mysql/server.ts";
import type { TestDatabase as PostgresDatabase } from "../postgres/server.ts";
import type { EchoApi } from "./echo-api.ts";

/** The columns of every place of the echo test, beside `id`. */
export const FIELDS = {
  words: "text",
  whole: "integer",
  amount: "decimal",
  ratio: "double",
  flag: "boolean",
  day: "date",
  hour: "time",
  moment: "timestamp",
} as const;

export type FieldName = keyof typeof FIELDS;
export const FIELD_NAMES: readonly FieldName[] = Object.keys(FIELDS) as FieldName[];

/** A record as a person has it: one value, in a form of theirs; the other fields are null. */
export interface Hand {
  readonly id: string;
  readonly field: FieldName;
  readonly written: string | null;
}

/** What a place has, by id and field, each in the one form that values are compared in. */
export type Contents = ReadonlyMap<string, Readonly<Record<string, string | null>>>;

/** A kind of system, written and read as people do it: without Lockstep. */
export interface Place {
  /** Its entry under `systems`. */
  readonly system: Readonly<Record<string, unknown>>;
  readonly stream: string;
  readonly env: Readonly<Record<string, string>>;
  /** False: the kind cannot keep this value, and must say so. */
  holds(field: FieldName, value: string | null): boolean;
  /** Its people can write half a character, which JSON escapes and Lockstep refuses to send. */
  readonly escapes?: boolean;
  fill(hands: readonly Hand[]): Promise<void>;
  read(): Promise<Contents>;
}

export type Kind = "sqlite" | "postgres" | "mysql" | "csv" | "jsonl" | "xlsx" | "rest";

/** The servers that places are in. */
export interface Servers {
  readonly postgres?: PostgresDatabase;
  readonly mysql?: MysqlDatabase;
  readonly rest?: EchoApi;
}

/** A value in the one form it is compared in, whatever form a place wrote it in. */
export function plain(field: string, written: unknown): string | null {
  if (written === null || written === undefined) return null;
  const text = String(written);
  switch (FIELDS[field as FieldName]) {
    case "integer":
      return String(BigInt(text));
    case "decimal":
      return canonicalDecimal(text) ?? `no decimal: ${text}`;
    case "double":
      return String(Number(text) + 0);
    case "boolean":
      return String(["1", "t", "true"].includes(text));
    case "timestamp": {
      const parsed = parseTimestamp(text);
      return parsed.kind === "instant" ? withoutZeros(parsed.canonical) : `no instant: ${text}`;
    }
    case "time":
      return withoutZeros(text);
    default:
      return text;
  }
}

/** A fraction of a second says the same with and without zeros at its end. */
const withoutZeros = (time: string): string =>
  time.replace(/\.(\d*?)0*(?=Z?$)/, (_all, rest) => rest && `.${rest}`);

const plainRow = (row: Readonly<Record<string, unknown>>): Record<string, string | null> =>
  Object.fromEntries(FIELD_NAMES.map((name) => [name, plain(name, row[name])]));

const contents = (rows: readonly Readonly<Record<string, unknown>>[]): Contents => {
  const byId = new Map(rows.map((row) => [String(row["id"]), plainRow(row)]));
  if (byId.size !== rows.length) throw new Error("An id stands twice.");
  return byId;
};

const rowOf = ({ id, field, written }: Hand): Record<string, string | null> => ({
  id,
  [field]: written,
});

function sqlitePlace(directory: string, name: string): Place {
  const path = join(directory, `${name}.db`);
  return {
    system: {
      connector: "sqlite",
      path: `./${name}.db`,
      tables: { items: { fields: { amount: "decimal", moment: "timestamp-iso" } } },
    },
    stream: "items",
    env: {},
    holds: (_field, value) => value?.isWellFormed() !== false,
    fill: async (hands) => {
      const database = openSqlite(path);
      database.exec(`CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, words TEXT, whole BIGINT,
        amount TEXT, ratio DOUBLE, flag BOOLEAN, day DATE, hour TIME, moment TEXT)`);
      database.exec("BEGIN");
      for (const { id, field, written } of hands) {
        const value =
          written === null
            ? null
            : field === "ratio"
              ? Number(written)
              : field === "whole" || field === "flag"
                ? BigInt(written === "true" ? 1 : written === "false" ? 0 : written)
                : written;
        database.prepare(`INSERT INTO items (id, ${field}) VALUES (?, ?)`).run([id, value]);
      }
      database.exec("COMMIT");
      database.close();
    },
    read: async () => {
      const database = openSqlite(path, { readOnly: true });
      const names = ["id", ...FIELD_NAMES];
      const rows = database.prepare(`SELECT ${names} FROM items`, { bigints: true }).all();
      database.close();
      return contents(
        rows.map((row) => Object.fromEntries(names.map((column, at) => [column, row[at]]))),
      );
    },
  };
}

function postgresPlace(database: PostgresDatabase, name: string): Place {
  const types = "text, bigint, numeric, float8, boolean, date, time, timestamptz".split(", ");
  return {
    system: { connector: "postgres", url: "env:ECHO_URL" },
    stream: name,
    env: { ECHO_URL: database.url },
    holds: (_field, value) => value?.includes("\0") !== true && value?.isWellFormed() !== false,
    fill: async (hands) => {
      const columns = FIELD_NAMES.map((field, at) => `${field} ${types[at]}`);
      await database.query(`CREATE TABLE "${name}" (id text PRIMARY KEY, ${columns.join(", ")})`);
      for (const { id, field, written } of hands) {
        const type = types[FIELD_NAMES.indexOf(field)];
        const sql = `INSERT INTO "${name}" (id, ${field}) VALUES ($1, $2::text::${type})`;
        await database.query(sql, [id, written]);
      }
    },
    read: async () => {
      const columns = FIELD_NAMES.map((field) =>
        field === "moment"
          ? `to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS moment`
          : `${field}::text`,
      );
      return contents(await database.query(`SELECT id, ${columns.join(", ")} FROM "${name}"`));
    },
  };
}

function mysqlPlace(database: MysqlDatabase, name: string): Place {
  const types =
    "longtext, bigint, decimal(50,12), double, boolean, date, time(6), datetime(6)".split(", ");
  // Its people write moments in the zone of the column, without naming it.
  const own = ({ field, written }: Hand): string | null => {
    if (written === null) return null;
    if (field === "moment")
      return plain(field, written)?.replace("T", " ").replace("Z", "") ?? null;
    return field === "flag" ? String(Number(written === "true")) : written;
  };
  return {
    system: { connector: "mysql", url: "env:ECHO_MYSQL_URL" },
    stream: name,
    env: { ECHO_MYSQL_URL: database.url },
    holds: (_field, value) => value?.isWellFormed() !== false,
    fill: async (hands) => {
      const columns = FIELD_NAMES.map((field, at) => `${field} ${types[at]}`);
      await database.query(
        `CREATE TABLE \`${name}\` (id varchar(200) COLLATE utf8mb4_bin PRIMARY KEY, ${columns.join(", ")}) CHARACTER SET utf8mb4`,
      );
      for (const hand of hands) {
        const sql = `INSERT INTO \`${name}\` (id, ${hand.field}) VALUES (?, ?)`;
        await database.query(sql, [hand.id, own(hand)]);
      }
    },
    read: async () => {
      const columns = FIELD_NAMES.map((field) =>
        field === "moment"
          ? "DATE_FORMAT(moment, '%Y-%m-%dT%H:%i:%s.%fZ') AS moment"
          : `CAST(${field} AS CHAR) AS ${field}`,
      );
      return contents(await database.query(`SELECT id, ${columns.join(", ")} FROM \`${name}\``));
    },
  };
}

/** A record as JSON has it. Fields that it does not name are absent, which is not null. */
function jsonOf({ id, field, written }: Hand): string {
  const isBare = ["whole", "amount", "ratio", "flag"].includes(field);
  const member = written === null || isBare ? String(written) : JSON.stringify(written);
  return `{"id": ${JSON.stringify(id)}, "${field}": ${member}}`;
}

/** The contents of JSON texts; numbers as they stand there. */
function ofJson(records: readonly string[]): Contents {
  const digits = (_key: string, value: unknown, { source }: { readonly source: string }) =>
    typeof value === "number" ? source : value;
  const parseJson = JSON.parse as (text: string, reviver: typeof digits) => never;
  return contents(records.map((record) => parseJson(record, digits)));
}

function restPlace(api: EchoApi, name: string): Place {
  const paging = { style: "page", parameter: "page", sizeParameter: "limit", size: 50 };
  const records = {
    list: `/${name}`,
    get: `/${name}/{id}`,
    create: `POST /${name}`,
    update: `PATCH /${name}/{id}`,
    delete: `DELETE /${name}/{id}`,
    records: "data",
    record: "data",
    total: "total",
    key: "id",
    fields: { id: "text", ...FIELDS },
    etag: true,
    paging,
  };
  return {
    system: { connector: "rest", url: api.url, streams: { records } },
    stream: "records",
    env: {},
    holds: (_field, value) => value?.isWellFormed() !== false,
    escapes: true,
    fill: async (hands) => {
      for (const hand of hands) api.put(name, jsonOf(hand));
    },
    read: async () => ofJson(api.records(name)),
  };
}

function filePlace(directory: string, name: string, extension: string): Omit<Place, "holds"> {
  const path = join(directory, `${name}.${extension}`);
  const system = { connector: "file", path: `./${name}.${extension}`, key: "id", fields: FIELDS };
  const rest = { system, stream: name, env: {} };
  const header = ["id", ...FIELD_NAMES];
  switch (extension) {
    case "csv": {
      const cell = (text: string | null | undefined): string =>
        text === null || text === undefined ? "" : `"${text.replaceAll('"', '""')}"`;
      return {
        ...rest,
        fill: async (hands) => {
          const lines = hands.map((hand) => header.map((column) => cell(rowOf(hand)[column])));
          writeFileSync(path, [header, ...lines].map((line) => `${line.join(",")}\r\n`).join(""));
        },
        read: async () => {
          const cast = (text: string, { quoting }: { readonly quoting: boolean }) =>
            text === "" && !quoting ? null : text;
          return contents(parse(readFileSync(path), { columns: true, cast }));
        },
      };
    }
    case "jsonl":
      return {
        ...rest,
        fill: async (hands) =>
          writeFileSync(path, hands.map((hand) => `${jsonOf(hand)}\n`).join("")),
        read: async () => ofJson(readFileSync(path, "utf8").split("\n").filter(Boolean)),
      };
    default:
      return {
        ...rest,
        fill: async (hands) => {
          const cell = (column: string, text: string | null | undefined) => {
            if (text === null || text === undefined) return null;
            if (["whole", "amount", "ratio"].includes(column)) {
              return { value: Number(text), type: Number };
            }
            return column === "flag"
              ? { value: text === "true", type: Boolean }
              : { value: text, type: String };
          };
          const rows = hands.map((hand) =>
            header.map((column) => cell(column, rowOf(hand)[column])),
          );
          const head = header.map((value) => ({ value, type: String }));
          await writeXlsx([head, ...rows]).toFile(path);
        },
        read: async () => {
          const [head, ...rows] = await readSheet(path, 1, { trim: false });
          const names = (head ?? []).map(String);
          const isRow = (row: readonly unknown[]): boolean => row.some((cell) => cell !== null);
          return contents(
            rows
              .filter(isRow)
              .map((row) => Object.fromEntries(names.map((column, at) => [column, row[at]]))),
          );
        },
      };
  }
}

/** Numbers of a workbook are doubles, its texts have a greatest length, and none is empty. */
const holdsInXlsx: Place["holds"] = (field, value) => {
  if (value === null) return true;
  if (["whole", "amount"].includes(field)) return canonicalDecimal(String(Number(value))) === value;
  if (value.includes("\0") || !value.isWellFormed()) return false;
  return value !== "" && value.length <= 32_767;
};

export function createPlace(
  kind: Kind,
  directory: string,
  name: string,
  { postgres, mysql, rest }: Servers,
): Place {
  if (kind === "sqlite") return sqlitePlace(directory, name);
  if (kind === "postgres" && postgres !== undefined) return postgresPlace(postgres, name);
  if (kind === "mysql" && mysql !== undefined) return mysqlPlace(mysql, name);
  if (kind === "rest" && rest !== undefined) return restPlace(rest, name);
  if (kind === "postgres" || kind === "mysql" || kind === "rest") {
    throw new Error(`${kind} needs its server.`);
  }
  const file = filePlace(directory, name, kind);
  if (kind === "xlsx") return { ...file, holds: holdsInXlsx };
  // JSON can escape half a character; a line of a CSV file is UTF-8.
  return { ...file, holds: (_field, value) => kind === "jsonl" || value?.isWellFormed() !== false };
}
