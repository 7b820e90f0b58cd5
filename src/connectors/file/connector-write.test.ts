import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { XMLValidator } from "fast-xml-parser";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { readSheet } from "read-excel-file/node";
import writeXlsx from "write-excel-file/node";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { Connector, WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";
import type { FileSourceSettings } from "./source-settings.ts";

let folder: ReturnType<typeof createTemporaryFolder>;
const { signal } = new AbortController();
const memory = { recall: async () => undefined, remember: async () => undefined };

beforeEach(() => {
  folder = createTemporaryFolder();
});
afterEach(() => folder.remove());

function connect(
  contents: string | Uint8Array,
  settings: Partial<FileSourceSettings> = {},
): { readonly connector: Connector; readonly path: string } {
  const format = settings.format ?? "csv";
  const path = join(folder.path, `stock.${format}`);
  writeFileSync(path, contents);
  const whole = { path, format, stream: "stock", key: ["sku"], fields: {}, encoding: "utf-8" };
  return { connector: createFileConnector({ ...whole, ...settings }, { memory }), path };
}

type Named = Readonly<Record<string, Value>>;
/** `null` deletes, `[...]` creates, an object updates. */
type Change = Named | null | readonly [Named];

/** Writes changes by key and gives what became of each. */
async function write(
  connector: Connector,
  changes: Readonly<Record<string, Change>>,
): Promise<readonly WriteOutcome[]> {
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  const operations = Object.entries(changes).map(([key, change]) => operation(schema, key, change));
  return (await connector.write?.({ schema }, operations, signal)) ?? [];
}

function operation(schema: StreamSchema, sku: string, change: Change): WriteOperation {
  const values = (named: Named) => schema.fields.map(({ name }) => named[name]);
  const key = recordKey([sku]);
  const expected = { values: values({}) };
  if (change === null) return { kind: "delete", id: `delete ${sku}`, key, expected };
  if (Array.isArray(change)) {
    return { kind: "create", id: `create ${sku}`, key, values: values(change[0] as Named) };
  }
  return { kind: "update", id: `update ${sku}`, key, values: values(change as Named), expected };
}

const kinds = (outcomes: readonly WriteOutcome[]) => outcomes.map(({ kind }) => kind);
const problems = (outcomes: readonly WriteOutcome[]) =>
  outcomes.map((outcome) => (outcome.kind === "rejected" ? outcome.problem.message : outcome.kind));

suite("CSV", () => {
  const cases: readonly {
    readonly name: string;
    readonly before: string;
    readonly changes: Readonly<Record<string, Change>>;
    readonly after: string;
  }[] = [
    {
      name: "what is not written stays byte for byte: quotes, blank lines, spaces, order, columns",
      before: 'sku;x;"note"\r\n2;1.50;"a"\r\n\r\n"1"; y ;b\r\n3;0;"c ""d"""\r\n',
      changes: { 1: { note: "B" }, 3: null, 4: [{ x: "9", note: "n" }] },
      after: 'sku;x;"note"\r\n2;1.50;"a"\r\n\r\n"1"; y ;B\r\n4;9;"n"\r\n',
    },
    {
      name: "a last line that nothing ends stays so",
      before: "sku,note\n1,a\n2,b",
      changes: { 3: [{ note: null }], 4: [{ note: "" }], 1: { note: 'x,"y"\nz' } },
      after: 'sku,note\n1,"x,""y""\nz"\n2,b\n3,\n4,""',
    },
    {
      name: "the last line may go, and a new one come",
      before: "sku,note\n1,a\n2,b",
      changes: { 2: null, 3: [{ note: "c" }] },
      after: "sku,note\n1,a\n3,c\n",
    },
    {
      name: "a broken line and one without key stay",
      before: 'sku,note\n1,a\n2,q"r\n,z\n3,b\n',
      changes: { 3: { note: "B" }, 1: null },
      after: 'sku,note\n2,q"r\n,z\n3,B\n',
    },
    {
      name: "texts that look like numbers or formulas are as they are",
      before: 'sku,note\n1,"a"\n',
      changes: { 1: { note: "007" }, 2: [{ note: "=1+1" }], 3: [{ note: " x " }] },
      after: 'sku,note\n1,"007"\n2,"=1+1"\n3," x "\n',
    },
    {
      name: "only a header",
      before: "sku\tnote",
      changes: { 1: [{ note: "a" }] },
      after: "sku\tnote\r\n1\ta",
    },
    {
      name: "line breaks of old",
      before: 'sku,note\r1,"a\rb"\r2,b\r',
      changes: { 2: null, 3: [{ note: "c" }] },
      after: 'sku,note\r1,"a\rb"\r3,c\r',
    },
  ];
  for (const { name, before, changes, after } of cases) {
    test(name, async () => {
      const { connector, path } = connect(before);
      const outcomes = await write(connector, changes);
      assert.deepEqual(new Set(problems(outcomes)), new Set(["written"]));
      assert.equal(readFileSync(path, "utf8"), after);
    });
  }

  test("byte order marks and encodings are kept", async () => {
    const text = "sku,note\n1,Größe\n";
    const changed = "sku,note\n1,Maß\n";
    const utf16 = (value: string) =>
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(value, "utf16le")]);
    const ways: readonly [(value: string) => Buffer, string][] = [
      [(value) => Buffer.from(`\ufeff${value}`), "utf-8"],
      [utf16, "utf-8"],
      [(value) => utf16(value).swap16(), "utf-8"],
      [(value) => Buffer.from(value, "latin1"), "windows-1252"],
    ];
    for (const [bytes, encoding] of ways) {
      const { connector, path } = connect(bytes(text), { encoding });
      await write(connector, { 1: { note: "Maß" } });
      assert.deepEqual(readFileSync(path), bytes(changed));
    }
    const { connector, path } = connect("sku,note\n1,a\n2,b\n", { encoding: "windows-1252" });
    const outcomes = await write(connector, { 1: { note: "語" }, 2: { note: "ö" } });
    assert.deepEqual(problems(outcomes), [
      'Field "note" has the character U+8A9E, which windows-1252 does not have.',
      "written",
    ]);
    assert.equal(readFileSync(path, "latin1"), "sku,note\n1,a\n2,ö\n");
    const [schema] = await connect("sku\n", { encoding: "shift_jis" }).connector.discover(signal);
    assert.equal(schema?.traits.write, undefined);
  });

  test("what cannot be told is refused, and nothing is doubled", async () => {
    const before = 'sku,n\n1,a\n1,b\n2,q"r\n3,c\n';
    const { connector, path } = connect(before);
    const outcomes = await write(connector, {
      1: { n: "x" },
      2: null,
      4: [{ n: "d" }],
      3: { sku: "9" },
      "": [{ sku: null }],
    });
    const unknown = "Line 4 of the file cannot be read, and might be this record.";
    assert.deepEqual(problems(outcomes), [
      "The key stands on lines 2, 3; it must be on one.",
      unknown,
      'Field "sku" is the key, which cannot be changed.',
      unknown,
      "The record has no value in its key.",
    ]);
    assert.equal(readFileSync(path, "utf8"), before);
  });

  test("nothing new writes nothing", async () => {
    const { connector, path } = connect("sku,note\n1,a\n");
    const state = () => {
      const { ino, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
      return [ino, mtimeNs, ctimeNs];
    };
    const before = state();
    const outcomes = await write(connector, { 1: { note: "a" }, 2: null, 3: { note: "b" } });
    assert.deepEqual(kinds(outcomes), ["written", "written", "conflict"]);
    assert.deepEqual(state(), before);
  });

  test("permissions stay, and a link stays a link", async (t) => {
    if (process.platform === "win32") return t.skip("Windows has neither");
    const { path } = connect("sku,note\n1,a\n");
    chmodSync(path, 0o640);
    const link = join(folder.path, "link.csv");
    symlinkSync(path, link);
    const { connector } = connect("sku,note\n1,a\n", { path: link });
    await write(connector, { 1: { note: "b" } });
    assert.equal(readFileSync(path, "utf8"), "sku,note\n1,b\n");
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.deepEqual(readFileSync(link), readFileSync(path));
  });
});

suite("JSONL", () => {
  test("members that are not written stay as they are", async () => {
    const before = [
      '{ "sku": "1", "price": 1.50, "more": {"a": [1, "}"] }, "note": "a" }',
      "",
      '{"sku":"2","n":12345678901234567890.10}\r',
      '{"sku":"3"}',
      "no json",
      '{"sku":"4","note":null}',
    ];
    const { connector, path } = connect(before.join("\n"), { format: "jsonl" });
    await write(connector, { 1: { price: "0.1" }, 2: { note: 'q"\n' }, 3: null });
    assert.equal(
      readFileSync(path, "utf8"),
      [
        '{ "sku": "1", "price": 0.1, "more": {"a": [1, "}"] }, "note": "a" }',
        "",
        '{"sku":"2","n":12345678901234567890.10,"note":"q\\"\\n"}\r',
        "no json",
        '{"sku":"4","note":null}',
      ].join("\n"),
    );
  });

  test("new objects have the order of the file and the spaces of the last line", async () => {
    const { connector, path } = connect('{ "sku": "1", "price": 2, "note": "a" }\n', {
      format: "jsonl",
      fields: { price: "decimal" },
    });
    await write(connector, {
      "007": [{ note: "x", price: "12345678901234567890.5" }],
      "x 8": [{}],
    });
    assert.equal(
      readFileSync(path, "utf8"),
      [
        '{ "sku": "1", "price": 2, "note": "a" }',
        '{ "sku": "007", "price": 12345678901234567890.5, "note": "x" }',
        '{ "sku": "x 8" }',
        "",
      ].join("\n"),
    );
  });

  test("a number that stands as a string stays one", async () => {
    const fields = { price: "decimal", n: "integer" } as const;
    const before = '{"sku":"1","price":"1.50","n":1}\n';
    const { connector, path } = connect(before, { format: "jsonl", fields });
    await write(connector, { 1: { price: "2", n: "3" }, x: [{ price: "0.1", n: "5" }] });
    const after = '{"sku":"1","price":"2","n":3}\n{"sku":"x","price":"0.1","n":5}\n';
    assert.equal(readFileSync(path, "utf8"), after);
  });

  test("a character that the encoding does not have is named", async () => {
    const { connector, path } = connect('{"sku":"1","note":"\\u00f6"}\n', {
      format: "jsonl",
      encoding: "windows-1252",
    });
    await write(connector, { 1: { note: "語ö" } });
    assert.equal(readFileSync(path, "latin1"), '{"sku":"1","note":"\\u8a9e\\u00f6"}\n');
  });

  test("an empty file gets its first line", async () => {
    const { connector, path } = connect("", { format: "jsonl", fields: { price: "decimal" } });
    await write(connector, { 1: [{ price: "0.10".slice(0, 3) }] });
    assert.equal(readFileSync(path, "utf8"), '{"sku":"1","price":0.1}\n');
  });
});

suite("XLSX", () => {
  const text = (value: string) => ({ value, type: String });
  const date = (value: string) => ({ value: new Date(value), type: Date, format: "yyyy-mm-dd" });

  async function workbook(): Promise<Uint8Array> {
    const path = join(folder.path, "made.xlsx");
    await writeXlsx([
      {
        data: [
          ["sku", "price", "day", "note"].map(text),
          [text("1"), { value: 1.5, type: Number }, date("2024-05-01"), text("a")],
          [text("2"), { value: 2, type: Number }, date("2024-05-02"), text("b")],
          [text("3"), { value: 3, type: Number }, date("2024-05-03"), text("c")],
        ],
        sheet: "Stock",
      },
      { data: [[text("kept")]], sheet: "Other" },
    ]).toFile(path);
    return readFileSync(path);
  }
  /** The workbook with a sheet's XML changed, as another program might have written it. */
  function patched(bytes: Uint8Array, change: (xml: string) => string): Uint8Array {
    const parts = unzipSync(bytes);
    const place = "xl/worksheets/sheet1.xml";
    return zipSync({ ...parts, [place]: strToU8(change(strFromU8(parts[place]!))) });
  }
  const sheetOf = (path: string, place = "xl/worksheets/sheet1.xml"): string =>
    strFromU8(unzipSync(readFileSync(path))[place]!);

  test("cells are edited in place; styles and other sheets stay", async () => {
    const bytes = await workbook();
    const { connector, path } = connect(bytes, { format: "xlsx" });
    const outcomes = await write(connector, {
      2: { price: "0.1", day: "2030-12-31" },
      3: null,
      "007": [{ price: "12", day: "1969-12-31", note: "=1+1" }],
    });
    assert.deepEqual(problems(outcomes), ["written", "written", "written"]);
    assert.deepEqual(await readSheet(path, "Stock", { trim: false }), [
      ["sku", "price", "day", "note"],
      ["1", 1.5, new Date("2024-05-01"), "a"],
      ["2", 0.1, new Date("2030-12-31"), "b"],
      ["007", 12, new Date("1969-12-31"), "=1+1"],
    ]);
    assert.deepEqual(await readSheet(path, "Other"), [["kept"]]);
    assert.doesNotMatch(sheetOf(path), /<f\b/);
    assert.equal(XMLValidator.validate(sheetOf(path)), true);
    const before = unzipSync(bytes);
    const after = unzipSync(readFileSync(path));
    for (const place of Object.keys(before)) {
      if (place.endsWith("sheet1.xml")) continue;
      assert.deepEqual(strFromU8(after[place]!), strFromU8(before[place]!), place);
    }
  });

  test("a removed row above others is left empty, so that nothing moves", async () => {
    const { connector, path } = connect(await workbook(), { format: "xlsx" });
    await write(connector, { 1: null });
    assert.deepEqual((await readSheet(path, "Stock"))[1], [null, null, null, null]);
    assert.match(sheetOf(path), /<row r="2"[^>]*><c r="A2"[^>]*\/>/);
    assert.deepEqual(kinds(await write(connector, { 1: null })), ["written"]);
  });

  test("a formula is not overwritten, and what hangs on it is computed anew", async () => {
    const bytes = patched(await workbook(), (xml) =>
      xml.replace(/(<c r="B2"[^>]*>)(<v>)/, "$1<f>1+0.5</f>$2"),
    );
    const { connector, path } = connect(bytes, { format: "xlsx" });
    const outcomes = await write(connector, { 1: { price: "9", note: "z" }, 2: { price: "7" } });
    assert.deepEqual(problems(outcomes), [
      'Field "price" is computed by a formula of the sheet.',
      "written",
    ]);
    assert.match(sheetOf(path), /<f>1\+0\.5<\/f><v>1\.5<\/v>/);
    const other = await write(connector, { 1: { price: "1.5", note: "z" } });
    assert.deepEqual(problems(other), ["written"]);
    assert.match(sheetOf(path), /<f>1\+0\.5<\/f><v>1\.5<\/v>/);
  });

  test("what Excel cannot hold is refused with the reason", async () => {
    const { connector } = connect(await workbook(), { format: "xlsx" });
    const outcomes = await write(connector, {
      1: { price: "123456789012345678.12" },
      2: { note: "" },
      3: { note: "x".repeat(32_768) },
      4: [{ note: "a\u0000" }],
    });
    assert.deepEqual(problems(outcomes), [
      'Field "price" has a value of which this file would keep only "123456789012345680".',
      'Field "note" is an empty text, which an Excel file does not tell from an empty cell.',
      'Field "note" has 32768 characters; a cell takes 32767.',
      'Field "note" has a character that XML has not.',
    ]);
  });

  test("texts that look like escapes, and every line break, come back", async () => {
    const { connector } = connect(await workbook(), { format: "xlsx" });
    for (const note of ["_x000D_", "a\r\nb\rc\n", "<&>\"'", "\u0007 bell", " \t "]) {
      const [outcome] = await write(connector, { 1: { note } });
      assert.ok(outcome?.kind === "written" && outcome.stored !== null);
      assert.equal(outcome.stored.values[3], note);
    }
  });

  test("a sheet without rows, and rows and cells without their numbers", async () => {
    const bytes = patched(await workbook(), (xml) => xml.replace(/ r="[A-Z]*\d+"/g, ""));
    const path = join(folder.path, "stock.xlsx");
    const readable = await readSheet(Buffer.from(bytes)).catch(() => undefined);
    if (readable === undefined) return;
    const { connector } = connect(bytes, { format: "xlsx" });
    await write(connector, { 2: { note: "B" } });
    assert.equal((await readSheet(path, "Stock"))[2]?.[3], "B");
  });
});

test("keys of several fields", async () => {
  const { connector, path } = connect("a,b,n\nx,1,p\nx,2,q\n", { key: ["a", "b"] });
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  const key = (...parts: readonly string[]) => recordKey(parts);
  const expected = { values: [undefined, undefined, undefined] };
  const operations: readonly WriteOperation[] = [
    { kind: "update", id: "1", key: key("x", "2"), values: [undefined, undefined, "Q"], expected },
    { kind: "delete", id: "2", key: key("x", "1"), expected },
    { kind: "create", id: "3", key: key("y", "3"), values: [undefined, undefined, "r"] },
    { kind: "create", id: "4", key: "ignored" as RecordKey, values: ["z", "4", null] },
  ];
  const outcomes = await connector.write?.({ schema }, operations, signal);
  assert.deepEqual(kinds(outcomes ?? []), ["written", "written", "written", "written"]);
  assert.equal(readFileSync(path, "utf8"), "a,b,n\nx,2,Q\ny,3,r\nz,4,\n");
});
