import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { readSheet } from "read-excel-file/node";
import writeXlsx from "write-excel-file/node";
import type { RecordKey } from "../../model/record.ts";
import type { Memory } from "../../ports/runtime.ts";
import {
  type ConnectorSubject,
  REFUSED,
  type SubjectWrites,
} from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";
import type { FileSourceSettings } from "./source-settings.ts";

interface Item {
  sku: string;
  price: string | null;
  stock: number | "much" | null;
  /** Whatever else stands in the file. */
  rest: readonly unknown[];
}

/** The types of the columns; the last ones are there for what is written to them. */
const FIELDS = {
  stock: "integer",
  note: "text",
  ratio: "double",
  active: "boolean",
  day: "date",
  at: "timestamp",
  opens: "time",
  tags: "list",
  extra: "json",
} as const;
const REST = Object.keys(FIELDS).slice(1);
const HEADER = ["sku", "price", "stock", ...REST];

/** How people read and write each format, without Lockstep. */
interface Format {
  readonly extension: FileSourceSettings["format"];
  write(path: string, items: readonly Item[]): Promise<void>;
  read(path: string): Promise<readonly Item[]>;
  readonly promise: SubjectWrites["promise"];
}

const csvCell = (value: unknown): string =>
  value === null || value === undefined ? "" : `"${String(value).replaceAll('"', '""')}"`;

const FORMATS: readonly Format[] = [
  {
    extension: "csv",
    write: async (path, items) => {
      const lines = items.map(
        ({ sku, price, stock, rest }) =>
          `${[csvCell(sku), price ?? "", stock ?? "", ...REST.map((_name, at) => csvCell(rest[at]))].join(",")}\r\n`,
      );
      writeFileSync(path, `${HEADER.join(",")}\r\n${lines.join("")}`);
    },
    read: async (path) => {
      const cast = (cell: string, { quoting }: { readonly quoting: boolean }) =>
        cell === "" && !quoting ? null : cell;
      const rows: (string | null)[][] = parse(readFileSync(path), { cast, from_line: 2 });
      return rows.map(([sku, price = null, stock = null, ...rest]) => ({
        sku: sku ?? "",
        price,
        stock: stock === "much" || stock === null ? stock : Number(stock),
        rest,
      }));
    },
    promise: (_stream, field, value) => {
      if (typeof value === "string" && !value.isWellFormed()) return REFUSED;
      return field === "extra" && value === "null" ? REFUSED : undefined;
    },
  },
  {
    extension: "jsonl",
    write: async (path, items) => {
      const lines = items.map(({ sku, price, stock, rest }) => {
        const more = Object.fromEntries(rest.map((value, at) => [REST[at], value]));
        const [, tail = ""] = /^\{(.*)\}$/.exec(JSON.stringify(more)) ?? [];
        return `{"sku":${JSON.stringify(sku)},"price":${price},"stock":${JSON.stringify(stock)}${tail && ","}${tail}}\n`;
      });
      writeFileSync(path, lines.join(""));
    },
    read: async (path) => {
      const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
      return lines.map((line) => {
        const { sku, price, stock, ...more } = JSON.parse(line) as Item;
        const given = more as unknown as Readonly<Record<string, unknown>>;
        const text = price === null ? null : String(price);
        return { sku, price: text, stock, rest: REST.map((name) => given[name]) };
      });
    },
    promise: (_stream, field, value) =>
      field === "extra" && value === "null" ? REFUSED : undefined,
  },
  {
    extension: "xlsx",
    write: async (path, items) => {
      const cellOf = (value: unknown) => {
        if (value === null || value === undefined) return null;
        if (typeof value === "number") return { value, type: Number };
        if (typeof value === "boolean") return { value, type: Boolean };
        return { value: String(value), type: String };
      };
      const rows = items.map(({ sku, price, stock, rest }) => [
        { value: sku, type: String },
        cellOf(price === null ? null : Number(price)),
        cellOf(stock),
        ...REST.map((_name, at) => cellOf(rest[at])),
      ]);
      await writeXlsx([HEADER.map(cellOf), ...rows]).toFile(path);
    },
    read: async (path) => {
      const [, ...rows] = await readSheet(path, 1, { trim: false });
      return rows
        .filter((row) => row.some((cell) => cell !== null))
        .map(([sku, price = null, stock = null, ...rest]) => ({
          sku: String(sku),
          price: price === null ? null : String(price),
          stock: stock as Item["stock"],
          rest,
        }));
    },
    promise: (_stream, field, value) => {
      if (typeof value !== "string") return undefined;
      if (field === "stock" || field === "price") {
        return Number.isSafeInteger(Number(value)) ||
          value.length < 16 ||
          value === "1000000000000000000000"
          ? undefined
          : REFUSED;
      }
      if (value === "" || value.length > 32_767 || value.includes("\0")) return REFUSED;
      if (!value.isWellFormed()) return REFUSED;
      return field === "extra" && value === "null" ? REFUSED : undefined;
    },
  },
];

for (const format of FORMATS) {
  connectorKit(`file, ${format.extension}`, { create: () => createSubject(format) });
}

async function createSubject({
  extension,
  write,
  read,
  promise,
}: Format): Promise<ConnectorSubject> {
  const folder = createTemporaryFolder();
  const path = join(folder.path, `stock.${extension}`);
  const first = ["0071", "B-2", "ä 3", "10", "9", "A,1", 'q"q', "Z"].map(
    (sku, index): Item => ({ sku, price: `${index}.5`, stock: index, rest: [] }),
  );
  await write(path, first);
  /** What somebody does who opens the file, changes it and saves it. */
  const change = async (act: (items: readonly Item[]) => readonly Item[]): Promise<void> =>
    write(path, act(await read(path)));
  const settings: FileSourceSettings = {
    path,
    format: extension,
    stream: "stock",
    key: ["sku"],
    fields: { price: "decimal", ...FIELDS },
    encoding: "utf-8",
  };
  const notes = new Map<string, string>();
  const memory: Memory = {
    recall: async (name) => notes.get(name),
    remember: async (name, text) => {
      notes.set(name, text);
    },
  };
  const open = () => createFileConnector(settings, { pageSize: 3, memory });
  const connector = open();
  let numbers = 0;
  const nth = (): number => {
    numbers += 1;
    return numbers;
  };
  return {
    connector,
    streams: ["stock"],
    pageSize: 3,
    keys: async () => (await read(path)).map(({ sku }) => sku as RecordKey),
    people: {
      create: async () => {
        const sku = `new ${nth()}`;
        await change((items) => [...items, { sku, price: "1.25", stock: 1, rest: [] }]);
        return sku as RecordKey;
      },
      update: async (_stream, keys) =>
        change((items) =>
          items.map((item) =>
            keys.includes(item.sku as RecordKey)
              ? { ...item, stock: Number(item.stock) + 1 }
              : item,
          ),
        ),
      remove: async (_stream, key) => change((items) => items.filter(({ sku }) => sku !== key)),
      spoil: async (_stream, key) =>
        change((items) =>
          items.map((item) => (item.sku === key ? { ...item, stock: "much" } : item)),
        ),
    },
    writes: {
      fresh: () => ({ sku: `made ${nth()}`, price: "0.1", stock: "5", note: "=1+1" }),
      change: () => ({ stock: String(nth()), note: `note ${nth()}` }),
      refused: () => ({ values: { extra: "null" }, field: "extra" }),
      ...(promise === undefined ? {} : { promise }),
    },
    reopen: async () => open(),
    close: async () => {
      await connector.close();
      folder.remove();
    },
  };
}
