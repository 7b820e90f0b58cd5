import type { Value } from "../../model/value.ts";
import { writtenCells } from "./csv-spans.ts";
import { editText, type LineEdit } from "./edit-text.ts";
import type { Cell, Cells, FileEditor } from "./file-editor.ts";
import type { ParsedFile, ParsedRow, TextLayout } from "./parsed-file.ts";
import type { Encoder } from "./text-encoding.ts";
import { cellText } from "./value-text.ts";

export interface TextFile {
  readonly file: ParsedFile;
  readonly text: string;
  readonly layout: TextLayout;
  /** Of single cells; the whole text is encoded by `whole`. */
  readonly encoder: Encoder;
  readonly encoding: string;
  whole(text: string): Uint8Array;
}

/**
 * Edits CSV: cells that are not named keep their very text, changed ones are quoted where they were
 * or have to be, and a new record's cells are quoted as those of the last one are.
 */
export function csvEditor(source: TextFile): FileEditor {
  const { file, text, layout } = source;
  const { delimiter = "," } = layout;
  const written = ({ span }: ParsedRow): readonly string[] =>
    span === undefined ? [] : writtenCells(text.slice(span.start, span.end), delimiter);
  const line = (like: readonly string[], cells: Cells, isNew: boolean): string =>
    file.names
      .map((name, at) => {
        const cell = cells.get(name);
        const old = like[at] ?? "";
        if (cell === undefined) return isNew ? "" : old;
        return quoted(cell.text, delimiter, old.startsWith('"'));
      })
      .join(delimiter);
  return {
    file,
    encode: (value, type) => {
      const found = cellText(value as Value, type, "exact");
      const problem = found === null ? undefined : missingIn(source, found);
      return problem ?? { found, text: found };
    },
    edit: ({ updated, removed, created }) => {
      const edits: LineEdit[] = [];
      for (const row of file.rows) {
        const cells = updated.get(row);
        if (row.span === undefined) continue;
        if (removed.has(row)) edits.push({ span: row.span, text: null });
        else if (cells !== undefined) {
          edits.push({ span: row.span, text: line(written(row), cells, false) });
        }
      }
      const last = file.rows.at(-1);
      const like = last === undefined ? [] : written(last);
      const added = created.map((cells) => line(like, cells, true));
      return source.whole(editText(text, edits, added, layout));
    },
  };
}

/** In words, the character that the file's encoding does not have. */
function missingIn(
  { encoder, encoding }: Pick<TextFile, "encoder" | "encoding">,
  text: string,
): string | undefined {
  const encoded = encoder(text);
  if (encoded instanceof Uint8Array) return undefined;
  const code = encoded.missing.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return `has the character U+${code}, which ${encoding} does not have`;
}

function quoted(text: Cell["text"], delimiter: string, isWanted: boolean): string {
  if (text === null) return "";
  const isNeeded = text === "" || text.includes(delimiter) || /["\r\n\ufeff]|^\s|\s$/.test(text);
  return isWanted || isNeeded ? `"${text.replaceAll('"', '""')}"` : text;
}
