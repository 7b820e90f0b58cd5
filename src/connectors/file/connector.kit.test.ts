import { writeFileSync } from "node:fs";
import { join } from "node:path";
import writeXlsx from "write-excel-file/node";
import type { RecordKey } from "../../model/record.ts";
import type { Memory } from "../../ports/runtime.ts";
import type { ConnectorSubject } from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";
import type { FileSourceSettings } from "./source-settings.ts";

interface Item {
  sku: string;
  price: string;
  stock: number | "much";
}

/** How people write each format, without Lockstep. */
interface Format {
  readonly extension: FileSourceSettings["format"];
  write(path: string, items: readonly Item[]): Promise<void>;
}

const FORMATS: readonly Format[] = [
  {
    extension: "csv",
    write: async (path, items) => {
      const lines = items.map(
        ({ sku, price, stock }) => `"${sku.replaceAll('"', '""')}",${price},${stock}\r\n`,
      );
      writeFileSync(path, `sku,price,stock\r\n${lines.join("")}`);
    },
  },
  {
    extension: "jsonl",
    write: async (path, items) => {
      const lines = items.map(
        ({ sku, price, stock }) =>
          `{"sku":${JSON.stringify(sku)},"price":${price},"stock":${JSON.stringify(stock)}}\n`,
      );
      writeFileSync(path, lines.join(""));
    },
  },
  {
    extension: "xlsx",
    write: async (path, items) => {
      const rows = items.map(({ sku, price, stock }) => [
        { value: sku, type: String },
        { value: Number(price), type: Number },
        typeof stock === "string" ? { value: stock, type: String } : { value: stock, type: Number },
      ]);
      const header = ["sku", "price", "stock"].map((value) => ({ value, type: String }));
      await writeXlsx([header, ...rows]).toFile(path);
    },
  },
];

for (const format of FORMATS) {
  connectorKit(`file, ${format.extension}`, { create: () => createSubject(format) });
}

async function createSubject({ extension, write }: Format): Promise<ConnectorSubject> {
  const folder = createTemporaryFolder();
  const path = join(folder.path, `stock.${extension}`);
  let items: Item[] = ["007", "B-2", "ä 3", "10", "9", "A,1", 'q"q', "Z"].map((sku, index) => ({
    sku,
    price: `${index}.5`,
    stock: index,
  }));
  await write(path, items);
  const settings: FileSourceSettings = {
    path,
    format: extension,
    stream: "stock",
    key: ["sku"],
    fields: { stock: "integer" },
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
  return {
    connector,
    streams: ["stock"],
    pageSize: 3,
    keys: async () => items.map(({ sku }) => sku as RecordKey),
    people: {
      create: async () => {
        const sku = `new ${items.length}`;
        items = [...items, { sku, price: "1.25", stock: 1 }];
        await write(path, items);
        return sku as RecordKey;
      },
      update: async (_stream, keys) => {
        for (const item of items)
          if (keys.includes(item.sku as RecordKey)) item.stock = Number(item.stock) + 1;
        await write(path, items);
      },
      remove: async (_stream, key) => {
        items = items.filter(({ sku }) => sku !== key);
        await write(path, items);
      },
      spoil: async (_stream, key) => {
        for (const item of items) if (item.sku === key) item.stock = "much";
        await write(path, items);
      },
    },
    reopen: async () => open(),
    close: async () => {
      await connector.close();
      folder.remove();
    },
  };
}
