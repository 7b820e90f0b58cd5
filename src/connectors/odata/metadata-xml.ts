import { XMLParser, XMLValidator } from "fast-xml-parser";
import { SyncError } from "../../model/sync-error.ts";

/** An XML element: its attributes and, by local name, its children in order. */
export interface XmlElement {
  attribute(name: string): string | undefined;
  children(name: string): readonly XmlElement[];
  readonly text: string;
}

const PREFIX = "@";
const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: PREFIX,
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // The package leaves numeric references alone and bounds the named ones, of which a lookup
  // with many display names has thousands; they are undone below.
  processEntities: false,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/**
 * Reads a `$metadata` document into its root element. Throws METADATA_INVALID with the line for
 * anything that is not well-formed XML with the root `Edmx`, and for a document type, which no
 * metadata has and which could make a small text expand without bound.
 */
export function readMetadataXml(text: string): XmlElement {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start === "") throw invalid("is empty");
  if (!start.startsWith("<")) throw invalid("is not XML: it does not begin with <");
  if (/^<(?:!doctype html|html)\b/i.test(start)) throw invalid("is a web page, not XML");
  if (/<!DOCTYPE/i.test(start)) throw invalid("has a document type, which is not allowed");
  const verdict = XMLValidator.validate(start);
  if (verdict !== true) {
    const { line, msg } = verdict.err;
    const skipped = text.slice(0, text.indexOf(start)).split("\n").length - 1;
    throw invalid(`is not well-formed XML at line ${line + skipped}: ${withoutBody(msg)}`);
  }
  const roots = (parser.parse(start) as Readonly<Record<string, unknown>>)["Edmx"];
  const [root] = Array.isArray(roots) ? (roots as readonly RawElement[]) : [];
  if (root === undefined) throw invalid("has no root element Edmx");
  return element(root);
}

/** The error of a document that cannot be understood; `why` goes on after "The $metadata document". */
export function invalid(why: string): SyncError {
  return new SyncError("METADATA_INVALID", `The $metadata document ${why}.`);
}

type RawElement = Readonly<Record<string, unknown>> | string;

function element(raw: RawElement): XmlElement {
  const parts: Readonly<Record<string, unknown>> = typeof raw === "string" ? { "#text": raw } : raw;
  return {
    attribute: (name) => {
      const value = parts[PREFIX + name];
      return typeof value === "string" ? decodeReferences(value) : undefined;
    },
    children: (name) => {
      const list = parts[name];
      return Array.isArray(list) ? list.map((child: RawElement) => element(child)) : [];
    },
    text: decodeReferences(String(parts["#text"] ?? "")),
  };
}

function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-z]+));/g, (all, hex, dec, name) => {
    if (name !== undefined) return NAMED[name] ?? all;
    const code = hex === undefined ? Number(dec) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** The validator quotes tags, never text; what it quotes is kept short all the same. */
function withoutBody(message: string): string {
  return message.replace(/\.$/, "").slice(0, 200);
}
