import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { recordKey } from "../../model/record.ts";
import type { Connector, WriteOperation } from "../../ports/connector.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";

let folder: ReturnType<typeof createTemporaryFolder>;
const { signal } = new AbortController();
const memory = { recall: async () => undefined, remember: async () => undefined };
const SHEET = "xl/worksheets/sheet1.xml";
const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

beforeEach(() => {
  folder = createTemporaryFolder();
});
afterEach(() => folder.remove());

/** A workbook whose sheet has these rows of cells, and this behind them; style 1 shows a time. */
function connect(rows: readonly string[], behind = ""): Connector {
  const body = rows.map((cells, at) => `<row r="${at + 1}">${cells}</row>`).join("");
  const format = '<xf numFmtId="22" applyNumberFormat="1"/>';
  const parts = {
    "xl/workbook.xml": `<workbook ${MAIN} xmlns:r="${LINKS}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="${LINKS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    "xl/styles.xml": `<styleSheet ${MAIN}><cellXfs><xf numFmtId="0"/>${format}</cellXfs></styleSheet>`,
    [SHEET]: `<worksheet ${MAIN}><sheetData>${body}</sheetData>${behind}</worksheet>`,
  };
  const path = join(folder.path, "stock.xlsx");
  const bytes = Object.entries(parts).map(([name, xml]) => [name, strToU8(xml)] as const);
  writeFileSync(path, zipSync(Object.fromEntries(bytes)));
  const settings = { path, format: "xlsx", stream: "stock", key: ["sku"], encoding: "" } as const;
  return createFileConnector({ ...settings, fields: {} }, { memory });
}

const text = (place: string, value: string): string =>
  `<c r="${place}" t="inlineStr"><is><t>${value}</t></is></c>`;
const HEADER = text("A1", "sku") + text("B1", "price") + text("C1", "note");

async function values(connector: Connector): Promise<readonly (readonly unknown[])[]> {
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  const found: (readonly unknown[])[] = [];
  const request = { kind: "walk", query: { schema }, after: null, projection: "record" } as const;
  for await (const { records, bad } of connector.read(request, signal)) {
    found.push(...bad.map(({ problems }) => [problems[0]?.message]));
    found.push(...records.map((record) => record.values));
  }
  return found;
}

/** Writes prices by key, null deletes; gives what became of each. */
async function write(
  connector: Connector,
  prices: Readonly<Record<string, string | null>>,
): Promise<readonly string[]> {
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  const expected = { values: schema.fields.map(() => undefined) };
  const operations = Object.entries(prices).map(([sku, price], at): WriteOperation => {
    const all = { id: String(at), key: recordKey([sku]), expected };
    if (price === null) return { kind: "delete", ...all };
    return { kind: "update", ...all, values: [undefined, price, undefined] };
  });
  const outcomes = (await connector.write?.({ schema }, operations, signal)) ?? [];
  return outcomes.map((outcome) =>
    outcome.kind === "rejected" ? outcome.problem.message : outcome.kind,
  );
}

const sheetNow = (): string =>
  strFromU8(unzipSync(readFileSync(join(folder.path, "stock.xlsx")))[SHEET] ?? new Uint8Array());

suite("cells of a sheet that has no value to tell", () => {
  test("errors and formulas that nothing computed are absent, not empty", async () => {
    const connector = connect([
      HEADER,
      `${text("A2", "1")}<c r="B2" t="e"><v>#N/A</v></c><c r="C2" t="str"><f>""</f><v></v></c>`,
      `${text("A3", "2")}<c r="B3"><f>1+1</f></c><c r="C3" t="e"><f>1/0</f><v>#DIV/0!</v></c>`,
      `${text("A4", "3")}<c r="B4"><f>1+1</f><v>2</v></c>`,
      `<c r="A5"><f>B5</f><v/></c>`,
      `<c r="B6"><f>B5</f><v/></c>`,
    ]);
    assert.deepEqual(await values(connector), [
      ['Line 5: It has no value in its key "sku".'],
      ["1", undefined, null],
      ["2", undefined, undefined],
      ["3", "2", null],
    ]);
  });

  test("so is what merged cells hide, whose first alone has a value", async () => {
    const rows = [
      HEADER,
      `${text("A2", "1")}<c r="B2"><v>5</v></c>${text("C2", "both")}`,
      `${text("A3", "2")}<c r="B3"><v>6</v></c><c r="C3"/>`,
    ];
    const connector = connect(rows, '<mergeCells><mergeCell ref="C2:C1048576"/></mergeCells>');
    assert.deepEqual(await values(connector), [
      ["1", "5", "both"],
      ["2", "6", undefined],
    ]);
  });

  test("an empty row is none, though its cells are merged to part what is above and below", async () => {
    const rows = [
      text("A1", "note") + text("B1", "sku") + text("C1", "price"),
      `${text("B2", "1")}<c r="C2"><v>5</v></c>`,
      '<c r="A3"/><c r="B3"/><c r="C3"/>',
      `${text("B4", "2")}<c r="C4"><v>6</v></c>`,
    ];
    const connector = connect(rows, '<mergeCells><mergeCell ref="A3:C3"/></mergeCells>');
    assert.deepEqual(await values(connector), [
      [null, "1", "5"],
      [null, "2", "6"],
    ]);
  });

  test("a time whose fraction of a day is a little less is not cut off", async () => {
    const at = (place: string, serial: string): string =>
      `<c r="${place}" s="1"><v>${serial}</v></c>`;
    const connector = connect([
      HEADER,
      text("A2", "1") + at("B2", "45413.354166666664") + at("C2", "45412.999999999993"),
    ]);
    assert.deepEqual(await values(connector), [["1", "2024-05-01T08:30:00.000", "2024-05-01"]]);
  });
});

suite("an edit of a sheet", () => {
  const inline = (place: string, value: string): string =>
    `<c r="${place}" t="inlineStr"><is><t xml:space="preserve">${value}</t></is></c>`;
  const cell = (place: string, value: string, more = ""): string =>
    `<c r="${place}"${more}><v>${value}</v></c>`;

  test("does not write what a formula of another cell fills", async () => {
    const connector = connect([
      HEADER,
      `${text("A2", "1")}<c r="B2" cm="1"><f t="array" ref="B2:B3">E1:E2</f><v>5</v></c>`,
      text("A3", "2") + cell("B3", "6"),
      text("A4", "3") + cell("B4", "7"),
    ]);
    assert.deepEqual(await write(connector, { 1: "8", 2: "8", 3: "8" }), [
      'Field "price" is computed by a formula of the sheet.',
      'Field "price" is computed by a formula of the sheet.',
      "written",
    ]);
    assert.deepEqual(await write(connector, { 2: null, 3: null }), [
      "The row has a formula that other cells share.",
      "written",
    ]);
  });

  test("keeps digits a number where the column has numbers, and a date a date", async () => {
    const at = (place: string, serial = ""): string =>
      serial === "" ? `<c r="${place}" s="1"/>` : cell(place, serial, ' s="1"');
    const connector = connect([
      text("A1", "sku") + text("B1", "price") + text("C1", "note"),
      `${cell("A2", "1001")}${cell("B2", "5")}${at("C2")}`,
      `${cell("A3", "1002")}${text("B3", "n/a")}${at("C3", "45413")}`,
    ]);
    const [schema] = await connector.discover(signal);
    assert.ok(schema);
    const key = recordKey(["1001"]);
    const expected = { values: [] };
    const operations: readonly WriteOperation[] = [
      { kind: "update", id: "1", key, expected, values: [undefined, "8", "2024-05-02"] },
      { kind: "create", id: "2", key, values: ["1003", "9", "2024-05-03"] },
      { kind: "create", id: "3", key, values: ["007", "x", null] },
    ];
    await connector.write?.({ schema }, operations, signal);
    const rows = [...sheetNow().matchAll(/<row r="[245]".*?<\/row>/g)].map(([row]) => row);
    const as = (at: number): string => `<row r="${at}">`;
    assert.deepEqual(rows, [
      `${as(2)}${cell("A2", "1001")}${cell("B2", "8")}${cell("C2", "45414", ' s="1"')}</row>`,
      `${as(4)}${cell("A4", "1003")}${inline("B4", "9")}${cell("C4", "45415", ' s="1"')}</row>`,
      `${as(5)}${inline("A5", "007")}${inline("B5", "x")}</row>`,
    ]);
  });

  test("leaves all that other cells say of themselves", async () => {
    const picture = '<c r="C2" t="e" vm="1"><v>#VALUE!</v></c>';
    const dynamic = '<c r="D2" cm="1"><f t="array" ref="D2">_xlfn.SINGLE(E1:E2)</f><v>1</v></c>';
    const row = text("A2", "1") + cell("B2", "5", ' s="1" ph="1"') + picture + dynamic;
    const connector = connect([HEADER, row, text("A3", "2") + cell("B3", "6")]);
    assert.deepEqual(await write(connector, { 2: "7" }), ["written"]);
    assert.ok(sheetNow().includes(row), sheetNow());
  });
});
