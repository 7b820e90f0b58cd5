import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import writeXlsx from "write-excel-file/node";
import type { BadRecord, RecordKey } from "../../model/record.ts";
import type { Connector, Page } from "../../ports/connector.ts";
import type { Memory } from "../../ports/runtime.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";
import type { FileSourceSettings } from "./source-settings.ts";

let notes: Map<string, string>;
const memory: Memory = {
  recall: async (name) => notes.get(name),
  remember: async (name, text) => {
    notes.set(name, text);
  },
};
let folder: ReturnType<typeof createTemporaryFolder>;
const { signal } = new AbortController();

beforeEach(() => {
  notes = new Map();
  folder = createTemporaryFolder();
});
afterEach(() => folder.remove());

function connect(contents: string | Buffer, settings: Partial<FileSourceSettings> = {}): Connector {
  const format = settings.format ?? "csv";
  const path = join(folder.path, `stock.${format}`);
  writeFileSync(path, contents);
  return createFileConnector(
    {
      path,
      format,
      stream: "stock",
      key: ["sku"],
      fields: {},
      encoding: "utf-8",
      ...settings,
    },
    { memory },
  );
}

async function schemaOf(connector: Connector) {
  const [schema] = await connector.discover(signal);
  return schema ?? assert.fail("no stream");
}

/** Names with kinds of types, as a person would say them. */
async function kinds(connector: Connector): Promise<Record<string, string>> {
  const { fields } = await schemaOf(connector);
  return Object.fromEntries(fields.map(({ name, type }) => [name, type.kind]));
}

async function pages(connector: Connector, keys?: readonly string[]): Promise<Page[]> {
  const query = { schema: await schemaOf(connector) };
  const read = connector.read(
    keys === undefined
      ? { kind: "walk", query, after: null, projection: "record" }
      : { kind: "keys", query, keys: keys as readonly RecordKey[] },
    signal,
  );
  const all: Page[] = [];
  for await (const page of read) all.push(page);
  return all;
}

const values = async (connector: Connector) =>
  (await pages(connector)).flatMap(({ records }) => records.map((record) => record.values));
const badOf = async (connector: Connector): Promise<readonly BadRecord[]> =>
  (await pages(connector)).flatMap(({ bad }) => bad);
const told = (bad: readonly BadRecord[]): readonly (string | undefined)[][] =>
  bad.map(({ key, problems }) => [key, problems[0]?.code, problems[0]?.message]);

suite("CSV", () => {
  test("types are told from the values as they are written", async () => {
    const connector = connect(
      [
        "sku,count,price,code,flag,day,at,local,big,note",
        "a,1,0.123456789012,007,true,2024-05-01,2024-05-01T10:00:00+02:00,2024-05-01T10:00:00,12345678901234567890,",
        "b,-2,3,12,false,1969-12-31,1969-12-31T23:59:59.123456Z,x,1,",
        "c,,,,,,,,,",
      ].join("\r\n"),
    );
    assert.deepEqual(await kinds(connector), {
      sku: "text",
      count: "integer",
      price: "decimal",
      code: "text",
      flag: "boolean",
      day: "date",
      at: "timestamp",
      local: "text",
      big: "decimal",
      note: "text",
    });
    assert.deepEqual(await values(connector), [
      [
        "a",
        "1",
        "0.123456789012",
        "007",
        true,
        "2024-05-01",
        "2024-05-01T08:00:00Z",
        "2024-05-01T10:00:00",
        "12345678901234567890",
        null,
      ],
      ["b", "-2", "3", "12", false, "1969-12-31", "1969-12-31T23:59:59.123456Z", "x", "1", null],
      ["c", null, null, null, null, null, null, null, null, null],
    ]);
  });

  test("declared types hold, and what does not fit is set aside with its line and key", async () => {
    const connector = connect('sku,price,tags\na,1.50,"[""x"",""y""]"\nb,cheap,\n', {
      fields: { price: "decimal", tags: "list" },
    });
    assert.deepEqual(await values(connector), [["a", "1.5", ["x", "y"]]]);
    assert.deepEqual(told(await badOf(connector)), [
      [
        "b",
        "RECORD_TYPE_MISMATCH",
        'Line 3: Field "price" holds the text "cheap": expected a decimal number.',
      ],
    ]);
  });

  test("quotes, line breaks, spaces and empty texts are kept", async () => {
    const connector = connect(
      'sku,note\r\n1,""\r\n2,\r\n3," x "\r\n4,"a ""b"", c\nd"\r\n\r\n5,=1+1\r\n',
    );
    assert.deepEqual(await values(connector), [
      ["1", ""],
      ["2", null],
      ["3", " x "],
      ["4", 'a "b", c\nd'],
      ["5", "=1+1"],
    ]);
  });

  test("a type never gets narrower: of one day's values it may be anything", async () => {
    const wide = "sku,price,code\n1,1.50,x\n";
    assert.deepEqual(await kinds(connect(wide)), { sku: "text", price: "decimal", code: "text" });
    const whole = connect("sku,price,code\n1,2,7\n");
    assert.deepEqual(await kinds(whole), { sku: "text", price: "decimal", code: "text" });
    assert.deepEqual(await values(whole), [["1", "2", "7"]]);
  });

  test("the delimiter is told from the header, or given", async () => {
    for (const delimiter of [";", "\t", "|", ","]) {
      const text = `sku,price\na,1\n`.replaceAll(",", delimiter);
      assert.deepEqual(await values(connect(text)), [["a", "1"]]);
    }
    assert.deepEqual(await kinds(connect("sku,x;y\n", { delimiter: ";", key: ["y"] })), {
      "sku,x": "text",
      y: "text",
    });
  });

  test("byte order marks and encodings", async () => {
    const text = "sku,note\n1,Größe 🏠\n";
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`), utf16]) {
      assert.deepEqual(await values(connect(bytes)), [["1", "Größe 🏠"]]);
    }
    const latin = Buffer.from("sku,note\n1,Größe\n", "latin1");
    assert.deepEqual(await values(connect(latin, { encoding: "windows-1252" })), [["1", "Größe"]]);
    await assert.rejects(connect(latin).discover(signal), {
      code: "SYSTEM_UNREADABLE",
      message: `The file "${join(folder.path, "stock.csv")}" cannot be read: it is not written in utf-8; name its \`encoding\`.`,
    });
  });

  test("a broken line is set aside, and the lines after it are read", async () => {
    const connector = connect(
      'sku,note\n1,a\n2,"open\n3,b\n4,q"r\n5,"c"d\n6\n7,x,y\n8,"two\nlines"\n,z\n',
    );
    assert.deepEqual(
      (await values(connector)).map(([sku]) => sku),
      ["1", "3", "8"],
    );
    const quote = "A quote stands where none may, or is not closed where its cell ends.";
    assert.deepEqual(told(await badOf(connector)), [
      [undefined, "RECORD_NOT_OBJECT", `Line 3: ${quote}`],
      [undefined, "RECORD_NOT_OBJECT", `Line 5: ${quote}`],
      [undefined, "RECORD_NOT_OBJECT", `Line 6: ${quote}`],
      [undefined, "RECORD_KEY_MISSING", 'Line 11: It has no value in its key "sku".'],
      ["6", "RECORD_NOT_OBJECT", "Line 7: It has 1 cells where the header has 2."],
      ["7", "RECORD_NOT_OBJECT", "Line 8: It has 3 cells where the header has 2."],
    ]);
    const { count } = await connector.head({ schema: await schemaOf(connector) }, signal);
    assert.equal(count, 9);
  });

  test("lines that end in different ways are read one by one", async () => {
    const connector = connect('sku,note\r\n1,a\n2,b\r\n\n3,"c\r\nd"\r4,e\n');
    assert.deepEqual(await values(connector), [
      ["1", "a"],
      ["2", "b"],
      ["3", "c\r\nd"],
      ["4", "e"],
    ]);
    assert.deepEqual(await badOf(connector), []);
  });

  test("the key of a line is not told where a comma may have moved it or hidden lines", async () => {
    const moved = connect("note,sku\na,1\nb, too,2\n");
    assert.deepEqual(told(await badOf(moved)), [
      [undefined, "RECORD_NOT_OBJECT", "Line 3: It has 3 cells where the header has 2."],
    ]);
    const hidden = connect('sku,note,qty\n1,a,5\n2,"b,5\n3,c,5"\n\n4,d\n');
    assert.deepEqual(told(await badOf(hidden)), [
      [undefined, "RECORD_NOT_OBJECT", "Line 3: It has 2 cells where the header has 3."],
      ["4", "RECORD_NOT_OBJECT", "Line 6: It has 2 cells where the header has 3."],
    ]);
  });

  test("a key that may stand on a broken line is not told to be gone", async () => {
    const connector = connect('sku,note\n1,a\n2,q"r\n');
    const [page] = await pages(connector, ["1", "2"]);
    assert.deepEqual(
      page?.records.map(({ key }) => key),
      ["1"],
    );
    const bad = (await pages(connector, ["2"])).flatMap((each) => each.bad);
    assert.equal(bad.length, 1);
    assert.equal(bad[0]?.image, '2,q"r');
    assert.deepEqual(await pages(connect("sku\n1\n"), ["2"]), []);
  });

  test("of lines with one key none is taken, and all are named", async () => {
    const connector = connect("sku,note\n1,a\n2,b\n1,c\n1,d\n");
    assert.deepEqual(await values(connector), [["2", "b"]]);
    assert.deepEqual(told(await badOf(connector)), [
      ["1", "RECORD_KEY_REPEATED", "The key stands on lines 2, 4, 5; it must be on one."],
    ]);
  });

  test("files that cannot be used say why", async () => {
    const path = join(folder.path, "stock.csv");
    const cases: readonly [string, string][] = [
      ["", "it does not begin with a line of column names"],
      ["sku,sku\n", 'the column name "sku" stands there twice'],
      ["sku,\n", "column 2 has no name"],
      ["id,note\n1,a\n", 'it has no column "sku"; it has id, note'],
    ];
    for (const [text, what] of cases) {
      await assert.rejects(connect(text).discover(signal), {
        code: "SYSTEM_UNREADABLE",
        message: `The file "${path}" cannot be read: ${what}.`,
      });
    }
    const missing = join(folder.path, "none.csv");
    await assert.rejects(connect("", { path: missing }).check(signal), {
      code: "CONNECTOR_NOT_FOUND",
      message: `There is no file "${missing}".`,
    });
  });

  test("an edited file is read again, a quiet one is not", async () => {
    const connector = connect("sku,count\n1,5\n");
    assert.deepEqual(await values(connector), [["1", "5"]]);
    writeFileSync(join(folder.path, "stock.csv"), "sku,count\n1,6\n");
    assert.deepEqual(await values(connector), [["1", "6"]]);
  });
});

suite("JSONL", () => {
  test("numbers keep their digits, texts stay texts, absent is not null", async () => {
    const connector = connect(
      [
        '{"sku":"007","price":123456789012345678.123456789,"big":9007199254740993,"tags":["a","b"]}',
        "",
        '{"sku":"1","price":1e2,"note":null,"more":{"a":1.0}}',
        '{"sku":"2","price":5,"note":"12"}\r',
      ].join("\n"),
      { format: "jsonl" },
    );
    assert.deepEqual(await kinds(connector), {
      sku: "text",
      price: "decimal",
      big: "integer",
      tags: "list",
      note: "text",
      more: "json",
    });
    assert.deepEqual(await values(connector), [
      ["007", "123456789012345678.123456789", "9007199254740993", ["a", "b"], undefined, undefined],
      ["1", "100", undefined, undefined, null, '{"a":1}'],
      ["2", "5", undefined, undefined, "12", undefined],
    ]);
  });

  test("a line that is no object is set aside", async () => {
    const connector = connect('{"sku":1}\n{"sku":2\n[3]\n', { format: "jsonl" });
    assert.deepEqual(await values(connector), [["1"]]);
    assert.deepEqual(
      (await badOf(connector)).map(({ image, problems }) => [image, problems[0]?.message]),
      [
        ['{"sku":2', "Line 2: It is no JSON object."],
        ["[3]", "Line 3: It is no JSON object."],
      ],
    );
  });

  test("a field that lines had once is one still: the next line may have it again", async () => {
    const all = { sku: "text", price: "decimal", note: "text" };
    const settings = { format: "jsonl" } as const;
    assert.deepEqual(await kinds(connect('{"sku":"a","price":1.5,"note":"n"}\n', settings)), all);
    assert.deepEqual(await kinds(connect('{"sku":"b"}\n', settings)), all);
    assert.deepEqual(await kinds(connect("", settings)), all);
  });

  test("an empty file has no records, and the fields that are declared", async () => {
    const connector = connect("", { format: "jsonl", fields: { price: "decimal" } });
    assert.deepEqual(await kinds(connector), { sku: "text", price: "decimal" });
    assert.deepEqual(await values(connector), []);
  });
});

suite("XLSX", () => {
  test("texts, numbers, truth values and dates as Excel keeps them", async () => {
    const path = join(folder.path, "book.xlsx");
    const text = (value: string) => ({ value, type: String });
    const number = (value: number) => ({ value, type: Number });
    const date = (value: string, format: string) => ({
      value: new Date(value),
      type: Date,
      format,
    });
    await writeXlsx([
      ["sku", "price", "flag", "day", "at"].map(text),
      [
        text("007"),
        number(0.1),
        { value: true, type: Boolean },
        date("2024-05-01T00:00:00Z", "yyyy-mm-dd"),
        date("2024-05-01T08:30:00Z", "yyyy-mm-dd hh:mm"),
      ],
      [text(" x "), number(12), null, null, null],
    ]).toFile(path);
    const connector = connect("", { path, format: "xlsx" });
    assert.deepEqual(await kinds(connector), {
      sku: "text",
      price: "decimal",
      flag: "boolean",
      day: "date",
      at: "text",
    });
    assert.deepEqual(await values(connector), [
      [" x ", "12", null, null, null],
      ["007", "0.1", true, "2024-05-01", "2024-05-01T08:30:00.000"],
    ]);
  });

  test("what is no workbook, or has no such sheet, is told", async () => {
    await assert.rejects(connect("sku\n1\n", { format: "xlsx" }).discover(signal), {
      code: "SYSTEM_UNREADABLE",
      message: `The file "${join(folder.path, "stock.xlsx")}" cannot be read: it is no Excel workbook.`,
    });
  });
});
