import { exactJson } from "../../model/exact-number.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { parseExactValue } from "./cell-types.ts";
import type { TextFile } from "./edit-csv.ts";
import { editText, type LineEdit } from "./edit-text.ts";
import type { Cell, Cells, FileEditor } from "./file-editor.ts";
import { jsonMembers } from "./json-members.ts";
import type { ParsedRow } from "./parsed-file.ts";
import { jsonValue } from "./value-text.ts";

/**
 * Edits JSONL: members that are not named keep their very text and place, new ones come last, and a
 * new object has the file's order of fields and the last object's spaces.
 */
export function jsonlEditor(source: TextFile): FileEditor {
  const { file, text, layout } = source;
  const textOf = ({ span }: ParsedRow): string =>
    span === undefined ? "{}" : text.slice(span.start, span.end);
  return {
    file,
    encode: (value, type) => {
      const plain = jsonText(value, type);
      if (plain === undefined) return "is no JSON";
      // JSON can name any character.
      const isPlain = source.encoder(plain) instanceof Uint8Array;
      const isNumber = ["integer", "decimal", "double"].includes(type.kind) && value !== null;
      return { found: parseExactValue(plain), text: isPlain ? plain : escaped(plain), isNumber };
    },
    edit: ({ updated, removed, created }) => {
      const edits: LineEdit[] = [];
      for (const row of file.rows) {
        const cells = updated.get(row);
        if (row.span === undefined) continue;
        if (removed.has(row)) edits.push({ span: row.span, text: null });
        else if (cells !== undefined) {
          edits.push({ span: row.span, text: editedObject(textOf(row), cells) });
        }
      }
      const last = file.rows.at(-1);
      const like = last === undefined ? "{}" : textOf(last);
      const added = created.map((cells) => newObject(cells, file.names, like));
      return source.whole(editText(text, edits, added, layout));
    },
  };
}

function jsonText(value: Value, type: ValueType): string | undefined {
  if (type.kind !== "json" || typeof value !== "string") return jsonValue(value, type, "exact");
  try {
    // Without line breaks, and with every digit.
    return exactJson(parseExactValue(value));
  } catch {
    return undefined;
  }
}

const escaped = (json: string): string =>
  json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function editedObject(object: string, cells: Cells): string {
  const { members, layout, end } = jsonMembers(object);
  let edited = "";
  let copied = 0;
  const names = new Set<string>();
  for (const { name, start, end: stop } of members) {
    names.add(name);
    const cell = cells.get(name);
    if (cell === undefined || cell.text === null) continue;
    edited += object.slice(copied, start) + inKindOf(object[start], cell);
    copied = stop;
  }
  const missing = [...cells].filter(([name]) => !names.has(name));
  edited += object.slice(copied, end);
  for (const [index, [name, { text }]] of missing.entries()) {
    const isFirst = members.length === 0 && index === 0;
    edited +=
      (isFirst ? "" : layout.between) + JSON.stringify(name) + layout.colon + (text ?? "null");
  }
  return edited + object.slice(end);
}

/** Who writes numbers as strings (`"12.50"`, which no reader rounds) finds them as strings. */
const inKindOf = (start: string | undefined, { text, isNumber }: Cell): string =>
  start === '"' && isNumber === true ? `"${text}"` : (text ?? "null");

function newObject(cells: Cells, names: readonly string[], like: string): string {
  const { members: known, layout } = jsonMembers(like);
  const { open, between, colon, close } = layout;
  const starts = new Map(known.map(({ name, start }) => [name, like[start]]));
  const order = [...new Set([...names, ...cells.keys()])];
  const members = order.flatMap((name) => {
    const cell = cells.get(name);
    return cell === undefined
      ? []
      : [JSON.stringify(name) + colon + inKindOf(starts.get(name), cell)];
  });
  return open + members.join(between) + close;
}
