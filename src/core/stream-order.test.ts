import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StreamSpec } from "../model/replicate.ts";
import { streamLevels } from "./stream-order.ts";

const spec = (stream: string, parent?: string): StreamSpec => ({
  stream,
  table: stream,
  naming: "source",
  deletes: "remove",
  drift: "evolve",
  overlapMs: 0,
  overlapMaxMs: 0,
  refreshMs: 0,
  history: "full",
  monitor: { status: [], price: [], transitions: [] },
  rules: [],
  ...(parent === undefined ? {} : { parent: { stream: parent, field: "P", parentField: "K" } }),
});

const CASES: readonly (readonly [string, readonly StreamSpec[], readonly string[]])[] = [
  ["none", [], []],
  ["independent ones share a level", [spec("a"), spec("b")], ["a b"]],
  ["parents before children", [spec("media", "property"), spec("property")], ["property", "media"]],
  [
    "grandchildren last",
    [spec("c", "b"), spec("b", "a"), spec("d", "a"), spec("a")],
    ["a", "b d", "c"],
  ],
  ["a parent outside is ignored", [spec("media", "elsewhere")], ["media"]],
  ["one's own parent", [spec("member", "member")], ["member"]],
  ["a cycle is one level", [spec("a", "b"), spec("b", "a"), spec("c")], ["c", "a b"]],
];

const names = (levels: readonly (readonly StreamSpec[])[]): readonly string[] =>
  levels.map((level) => level.map(({ stream }) => stream).join(" "));

for (const [name, streams, expected] of CASES) {
  test(`levels: ${name}`, () => assert.deepEqual(names(streamLevels(streams)), expected));
}

test("every stream comes once, and never before its parent unless they are in a cycle", () => {
  const parents = fc.array(fc.option(fc.nat(9), { nil: undefined }), { maxLength: 10 });
  fc.assert(
    fc.property(parents, (links) => {
      const streams = links.map((link, index) =>
        spec(`s${index}`, link === undefined ? undefined : `s${link}`),
      );
      const levels = streamLevels(streams);
      assert.deepEqual(
        levels
          .flat()
          .map(({ stream }) => stream)
          .sort(),
        streams.map(({ stream }) => stream).sort(),
      );
      const levelOf = (name: string): number =>
        levels.findIndex((level) => level.some(({ stream }) => stream === name));
      const parentOf = (name: string): string | undefined =>
        streams.find(({ stream }) => stream === name)?.parent?.stream;
      for (const { stream, parent } of streams) {
        if (parent === undefined || parent.stream === stream || levelOf(parent.stream) < 0)
          continue;
        const seen = new Set<string>();
        let up: string | undefined = stream;
        while (up !== undefined && !seen.has(up)) {
          seen.add(up);
          up = parentOf(up);
        }
        // Below a cycle there is no order to keep.
        if (up !== undefined && up !== parentOf(up)) continue;
        assert.ok(levelOf(parent.stream) < levelOf(stream));
      }
    }),
  );
});
