import { strFromU8, unzipSync } from "fflate";
import { unreadableFile } from "./file-errors.ts";

/** The parts of a workbook by their paths. */
export type Parts = Record<string, Uint8Array>;

/** Throws SYSTEM_UNREADABLE. */
export function unzipped(path: string, bytes: Uint8Array): Parts {
  try {
    return unzipSync(bytes);
  } catch (error) {
    throw unreadableFile(path, "it is no Excel workbook", error);
  }
}

/** The path of the sheet of that name, or of the first, in the archive. */
export function sheetPlace(parts: Parts, name: string | undefined): string | undefined {
  const workbook = partText(parts, "xl/workbook.xml");
  const sheets = [...workbook.matchAll(/<(?:\w+:)?sheet\s([^>]*?)\/?>/g)].map(
    ([, text = ""]) => text,
  );
  const sheet = sheets.find(
    (each) => name === undefined || unescaped(attributeOf(each, "name")) === name,
  );
  const id = sheet === undefined ? undefined : attributeOf(sheet, "r:id");
  const links = partText(parts, "xl/_rels/workbook.xml.rels").matchAll(
    /<Relationship\s([^>]*?)\/?>/g,
  );
  for (const [, link = ""] of links) {
    if (id === undefined || attributeOf(link, "Id") !== id) continue;
    const target = attributeOf(link, "Target") ?? "";
    return target.startsWith("/") ? target.slice(1) : `xl/${target}`;
  }
  return undefined;
}

const partText = (parts: Parts, path: string): string => {
  const part = parts[path];
  return part === undefined ? "" : strFromU8(part);
};

function attributeOf(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
}

const unescaped = (text = ""): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

export const isDates1904 = (parts: Parts): boolean =>
  /<workbookPr\b[^>]*\bdate1904="(?:1|true)"/.test(partText(parts, "xl/workbook.xml"));
