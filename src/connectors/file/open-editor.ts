import { SyncError } from "../../model/sync-error.ts";
import { csvEditor, type TextFile } from "./edit-csv.ts";
import { jsonlEditor } from "./edit-jsonl.ts";
import type { FileEditor } from "./file-editor.ts";
import { decodeText, parseFile, parseText } from "./load-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";
import { encoderOf } from "./text-encoding.ts";

/** An editor of a file's bytes in its own format. Throws SYSTEM_UNREADABLE, CONNECTOR_UNSUPPORTED. */
export async function openEditor(settings: FileSourceSettings, bytes: Buffer): Promise<FileEditor> {
  const { path, format, sheet } = settings;
  if (format !== "xlsx") {
    const file = textFile(settings, bytes);
    return format === "csv" ? csvEditor(file) : jsonlEditor(file);
  }
  const file = await parseFile(settings, bytes);
  return (await import("./edit-xlsx.ts")).xlsxEditor(path, bytes, file, sheet);
}

function textFile(settings: FileSourceSettings, bytes: Buffer): TextFile {
  const { text, encoding, mark } = decodeText(settings, bytes);
  const file = parseText(settings, text);
  const { path } = settings;
  const encoder = encoderOf(encoding);
  if (encoder === undefined) {
    throw new SyncError(
      "CONNECTOR_UNSUPPORTED",
      `The file "${path}" is written in ${encoding}, which can only be read.`,
    );
  }
  const { layout } = file;
  if (layout === undefined) throw new SyncError("INTERNAL", "A text file has no layout.");
  const whole = (edited: string): Uint8Array => {
    const encoded = encoder(edited);
    if (encoded instanceof Uint8Array) return Buffer.concat([mark, encoded]);
    throw new SyncError("INTERNAL", `A text was made that ${encoding} does not have.`);
  };
  return { file, text, layout, encoder, encoding, whole };
}
