import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkId, OpenConflict } from "../../model/plan.ts";
import { conflictLines, conflictStory } from "./conflicts.ts";
import { createLook } from "./look.ts";

const LONG = "A cup as it stands in the catalogue, with all that one can say of a cup, ".repeat(3);

const conflict: OpenConflict = {
  id: 1,
  sync: "items",
  link: 1 as LinkId,
  name: "A-1",
  field: "text",
  why: "no policy decides it",
  base: LONG,
  candidates: ["blue", "red", "old"].map((word, at) => ({
    side: ["erp", "shop", "till"][at] ?? "",
    value: `${LONG}${word}`,
  })),
  openedAt: 0,
  runId: "r",
};

const drawn = (columns: number): readonly string[] => {
  const look = createLook({ isColoured: false, timeZone: "UTC", now: 0, columns });
  return conflictLines({ conflicts: [conflict], truncated: false }, look);
};

test("what waits fits the terminal, and values of one beginning are told apart", () => {
  for (const columns of [80, 100, 160]) {
    const rows = drawn(columns).filter((line) => /^( 1|id) /.test(line));
    assert.equal(rows.length, 2);
    for (const row of rows) assert.ok(row.length <= columns, `${columns}: ${row.length} ${row}`);
  }
  assert.match(drawn(160).join("\n"), /…y of a cup, blue {2}…y of a cup, red {2}…y of a cup, old /);
});

test("one conflict is shown with the whole of what is decided about", () => {
  const look = createLook({ isColoured: false, timeZone: "UTC", now: 0, columns: 80 });
  const lines = conflictStory(conflict, look);
  const full = lines.slice(lines.indexOf("In full") + 1);
  assert.deepEqual(full.slice(0, 4), ["  base:", `    "${LONG}"`, "  erp:", `    ${LONG}blue`]);
  const short = { ...conflict, base: "Cup", candidates: [{ side: "erp", value: "Mug" }] };
  assert.ok(!conflictStory(short, look).includes("In full"));
  const ways = conflictStory(short, look).filter((line) => line.startsWith("  lockstep "));
  const places = ways.map((way) => way.lastIndexOf("  "));
  assert.deepEqual(new Set(places).size, 1, "what each command does stands in one column");
});
