import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import type { Cells, FileEdits } from "./file-editor.ts";
import { openEditor } from "./open-editor.ts";
import type { ParsedRow } from "./parsed-file.ts";

const NAMES = ["sku", "a", "b"];
const text = fc.oneof(
  fc.constantFrom(
    "",
    " x",
    "007",
    "=1+1",
    'q"q',
    "a,b",
    "a;b",
    "line\nbreak",
    "line\r\nbreak",
    "ä🏠",
  ),
  fc.string({ maxLength: 6 }),
);
const cell = fc.option(text, { nil: null });
/** A cell as somebody wrote it: quoted where it must be, and sometimes where it need not. */
const written = fc.record({ value: cell, isQuoted: fc.boolean() });
const table = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  rows: fc.array(fc.tuple(written, written), { maxLength: 8 }),
  blanks: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
  isEnded: fc.boolean(),
});
const edit = fc.record({
  removed: fc.array(fc.nat(7), { maxLength: 3 }),
  updated: fc.array(fc.tuple(fc.nat(7), fc.constantFrom("a", "b"), cell), { maxLength: 4 }),
  created: fc.array(fc.tuple(cell, cell), { maxLength: 3 }),
});

const quote = (value: string): string => `"${value.replaceAll('"', '""')}"`;
const print = ({ value, isQuoted }: { value: string | null; isQuoted: boolean }): string => {
  if (value === null) return "";
  return isQuoted || value === "" || /[",;\t|\r\n\ufeff]|^\s|\s$/.test(value)
    ? quote(value)
    : value;
};

/** What any reader of CSV finds; null where nothing stands between two delimiters. */
function read(csv: string, delimiter: string): readonly (readonly (string | null)[])[] {
  return parse(csv, {
    delimiter,
    skip_empty_lines: true,
    cast: (value: string, { quoting }) => (value === "" && !quoting ? null : value),
  });
}

test("any edits of any table: what is meant changes, and no other line does", async () => {
  await fc.assert(
    fc.asyncProperty(table, edit, async ({ delimiter, lineEnd, rows, blanks, isEnded }, edits) => {
      const lines = rows.map((cells, at) => [String(at), ...cells.map(print)].join(delimiter));
      const all = [NAMES.join(delimiter), ...lines].flatMap((line, at) =>
        blanks[at] && at > 0 ? ["", line] : [line],
      );
      const before = all.join(lineEnd) + (isEnded ? lineEnd : "");
      const settings = {
        path: "t.csv",
        format: "csv",
        stream: "t",
        key: ["sku"],
        fields: {},
      } as const;
      const whole = { ...settings, encoding: "utf-8", delimiter };
      const editor = await openEditor(whole, Buffer.from(before));
      const row = (at: number): ParsedRow | undefined => editor.file.rows[at];
      const removed = new Set(edits.removed.flatMap((at) => row(at) ?? []));
      const updated = new Map<
        ParsedRow,
        Map<string, Cells extends ReadonlyMap<string, infer C> ? C : never>
      >();
      const expected = rows.map((cells, at) => [String(at), ...cells.map(({ value }) => value)]);
      for (const [at, name, value] of edits.updated) {
        const found = row(at);
        const model = expected[at];
        if (found === undefined || model === undefined) continue;
        const cells = updated.get(found) ?? new Map();
        updated.set(found, cells.set(name, { found: value, text: value }));
        model[NAMES.indexOf(name)] = value;
      }
      const created = edits.created.map(([a, b], at) => [`new ${at}`, a, b] as const);
      const asked: FileEdits = {
        updated,
        removed,
        created: created.map(
          (values) =>
            new Map(values.map((value, at) => [NAMES[at]!, { found: value, text: value }])),
        ),
      };
      const after = Buffer.from(editor.edit(asked)).toString();
      const kept = expected.filter((_values, at) => !removed.has(row(at)!));
      assert.deepEqual(read(after, delimiter), [NAMES, ...kept, ...created]);
      for (const [at, line] of lines.entries()) {
        const found = row(at)!;
        if (!removed.has(found) && !updated.has(found)) assert.ok(after.includes(line), line);
      }
      if (updated.size + removed.size + created.length === 0) assert.equal(after, before);
    }),
    { numRuns: 1_000 },
  );
});
