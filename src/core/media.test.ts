import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HeldFile } from "../model/media.ts";
import type { RecordKey } from "../model/record.ts";
import {
  filePath,
  folderOf,
  judgeListing,
  judgeType,
  type Listing,
  plainUrl,
  planFiles,
  readListing,
} from "./media.ts";

const key = (text: string): RecordKey => text as RecordKey;

const held = (media: string, parts: Partial<HeldFile> = {}): HeldFile => ({
  parent: key("1"),
  media: key(media),
  url: `https://files.example/${media}`,
  changedAt: "2026-01-01T00:00:00Z",
  order: 0,
  contentType: "image/jpeg",
  size: 10,
  hash: "ab",
  path: `Property/1/${media}.jpg`,
  fetchedAt: 0,
  ...parts,
});

const row = (media: string, parts: Readonly<Record<string, string | number | null>> = {}) => ({
  MediaKey: media,
  MediaURL: `https://files.example/${media}?signature=s3cret`,
  MediaModificationTimestamp: "2026-01-01T00:00:00Z",
  MediaCategory: "Photo",
  Order: 0,
  ...parts,
});

const listed = (...rows: readonly ReturnType<typeof row>[]): Listing =>
  readListing(rows, "MediaKey", ["Photo"]);

test("rows are sorted into wanted, unwanted and keyless; of one key the last counts", () => {
  const listing = listed(
    row("a", { Order: 1 }),
    row("a", { Order: 2 }),
    row("tour", { MediaCategory: "Unbranded Virtual Tour" }),
    row("private", { MediaURL: null }),
    row("script", { MediaURL: "javascript:alert(1)" }),
    row("plain", { MediaCategory: null }),
    row("", {}),
  );
  assert.deepEqual(
    listing.files.map(({ media, order }) => [media, order]),
    [
      ["a", 2],
      ["plain", 0],
    ],
  );
  assert.deepEqual(listing.skipped, ["tour", "private", "script"]);
  assert.equal(listing.keyless, 1);
  const all = readListing([row("tour", { MediaCategory: "Virtual Tour" })], "MediaKey", ["*"]);
  assert.equal(all.files.length, 1);
  const named = readListing([row("x", { MediaCategory: "FloorPlan" })], "MediaKey", ["Floor Plan"]);
  assert.equal(named.files.length, 1);
});

test("what is fetched, moved, kept and gone", () => {
  const cases: readonly (readonly [string, Listing, readonly HeldFile[], object])[] = [
    ["new", listed(row("a")), [], { fetch: ["a"] }],
    ["as it was", listed(row("a")), [held("a")], { unchanged: ["a"] }],
    ["another signature", listed(row("a")), [held("a")], { unchanged: ["a"] }],
    ["another address", listed(row("a")), [held("a", { url: "https://b/a" })], { fetch: ["a"] }],
    [
      "another time",
      listed(row("a")),
      [held("a", { changedAt: "2025-01-01T00:00:00Z" })],
      { fetch: ["a"] },
    ],
    ["another place", listed(row("a", { Order: 3 })), [held("a")], { reorder: ["a"] }],
    ["gone", listed(row("b")), [held("a"), held("b")], { unchanged: ["b"], gone: ["a"] }],
    ["not wanted any more, but listed", listed(row("a", { MediaURL: null })), [held("a")], {}],
  ];
  for (const [name, listing, own, expected] of cases) {
    const plan = planFiles(listing, own);
    const found = {
      fetch: plan.fetch.map(({ file }) => file.media),
      reorder: plan.reorder.map(({ media }) => media),
      unchanged: plan.unchanged.map(({ media }) => media),
      gone: plan.gone.map(({ media }) => media),
    };
    const none = { fetch: [], reorder: [], unchanged: [], gone: [] };
    assert.deepEqual(found, { ...none, ...expected }, name);
  }
});

test("whether a list may be taken for the whole", () => {
  const cases: readonly (readonly [Parameters<typeof judgeListing>[0], string])[] = [
    [{ rows: 3, told: 3, held: 0 }, "whole"],
    [{ rows: 5, told: 3, held: 9 }, "whole"],
    [{ rows: 0, told: 0, held: 9 }, "whole"],
    [{ rows: 0, held: 0 }, "whole"],
    [{ rows: 2, held: 9 }, "whole"],
    [{ rows: 0, told: 3, held: 9 }, "suspicious"],
    [{ rows: 0, told: 3, held: 0 }, "suspicious"],
    [{ rows: 0, held: 9 }, "suspicious"],
    [{ rows: 2, told: 3, held: 3 }, "suspicious"],
    [{ rows: 0, told: 3, held: 9, second: 0 }, "unproven"],
    [{ rows: 0, held: 9, second: 0 }, "whole"],
    [{ rows: 0, held: 9, second: 3 }, "unproven"],
    [{ rows: 2, told: 3, held: 3, second: 2 }, "whole"],
    [{ rows: 2, told: 3, held: 3, second: 1 }, "unproven"],
  ];
  for (const [facts, verdict] of cases) {
    assert.equal(judgeListing(facts), verdict, JSON.stringify(facts));
  }
});

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (mark) => mark.charCodeAt(0));

test("the type of a file is what its first bytes show, within what is allowed", () => {
  const JPEG = "\u00ff\u00d8\u00ff\u00e0";
  const PNG = "\u0089PNG\r\n\u001a\n";
  const IMAGES = ["image/*"];
  const cases: readonly (readonly [string | undefined, string, readonly string[], string])[] = [
    ["image/jpeg", JPEG, IMAGES, "image/jpeg"],
    ["image/jpeg; charset=binary", JPEG, IMAGES, "image/jpeg"],
    ["image/jpeg", PNG, IMAGES, "image/png"],
    ["application/octet-stream", PNG, IMAGES, "image/png"],
    [undefined, "GIF89a", IMAGES, "image/gif"],
    ["image/webp", "RIFF\u0000\u0000\u0000\u0000WEBP", IMAGES, "image/webp"],
    ["image/avif", "\u0000\u0000\u0000 ftypavif", IMAGES, "image/avif"],
    ["video/mp4", "\u0000\u0000\u0000 ftypisom", ["video/*"], "video/mp4"],
    ["image/svg+xml", '<?xml version="1.0"?><svg>', IMAGES, "image/svg+xml"],
    ["application/pdf", "%PDF-1.7", ["application/pdf"], "application/pdf"],
    ["text/plain", "Plan", ["text/plain"], "text/plain"],
    ["image/jpeg", "<!DOCTYPE html>", IMAGES, "no: true"],
    ["text/html", "<html>", IMAGES, "no: true"],
    ["image/jpeg", '{"error":1}', IMAGES, "no: true"],
    ["application/json", "[]", IMAGES, "no: true"],
    ["image/jpeg", "hello", IMAGES, "no: true"],
    [undefined, "hello", IMAGES, "no: true"],
    ["image/jpeg", "%PDF-1.7", IMAGES, "no: true"],
    ["application/pdf", "%PDF-1.7", IMAGES, "no: false"],
    ["image/png", PNG, ["image/jpeg"], "no: false"],
  ];
  for (const [announced, head, allowed, expected] of cases) {
    const verdict = judgeType(announced, bytes(head), allowed);
    const told = verdict.kind === "good" ? verdict.type : `no: ${verdict.isWrongContent}`;
    assert.equal(told, expected, `${announced} ${head}`);
  }
});

test("an address is kept without what signs it", () => {
  assert.equal(
    plainUrl("https://a.example/b/c.jpg?Signature=x&e=1#y"),
    "https://a.example/b/c.jpg",
  );
  assert.equal(plainUrl("https://user:secret@a.example/b"), "https://a.example/b");
});

test("names are safe parts of a path, and differ where keys differ", () => {
  const path = filePath(
    "Property",
    { parent: key("1611952"), media: key("1_ab.jpg") },
    "t0",
    "image/jpeg",
  );
  assert.equal(path, "Property/1611952/1_ab.t0.jpg");
  assert.equal(folderOf("Property", key("../..")), "Property/%2e%2e%2f..");
  assert.notEqual(folderOf("Property", key("\u00e9f")), folderOf("Property", key("\u0e9f")));
  const any = fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" });
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [first, second] = [folderOf("Property", key(a)), folderOf("Property", key(b))];
      const parts = first.split("/");
      assert.equal(parts.length, 2);
      assert.match(first, /^Property\/[A-Za-z0-9_.%=-]{1,120}$/);
      assert.ok(parts[1] !== "." && parts[1] !== "..");
      assert.equal(a === b, first === second);
    }),
  );
});
