import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldChange } from "../model/change.ts";
import { type ComparedCopy, compareCopies, type RecordState } from "./comparison.ts";

const at = (modifiedAt: string): ComparedCopy => ({ modifiedAt });
const EARLY = "2026-01-01T00:00:00Z";
const LATE = "2026-01-01T00:00:00.000001Z";
const change: readonly FieldChange[] = [{ field: "Price", before: "1", after: "2" }];

type Copies = readonly [ComparedCopy | undefined, ComparedCopy | undefined];
const CASES: readonly (readonly [Copies, readonly FieldChange[], RecordState, string])[] = [
  [[undefined, undefined], [], "absent", "none"],
  [[undefined, at(LATE)], [], "local-missing", "create"],
  [[undefined, {}], [], "local-missing", "create"],
  [[at(LATE), undefined], [], "remote-missing", "delete"],
  [[at(EARLY), at(EARLY)], [], "in-step", "none"],
  // Times alone are no difference where no field of the replica holds them.
  [[at(EARLY), at(LATE)], [], "in-step", "none"],
  [[at(EARLY), at(LATE)], change, "remote-newer", "update"],
  [[at(LATE), at(EARLY)], change, "local-newer", "update"],
  [[at(EARLY), at(EARLY)], change, "different", "update"],
  [[at("2026-01-01T00:00:00.000Z"), at(EARLY)], change, "different", "update"],
  [[{}, at(EARLY)], change, "different", "update"],
  [[at(EARLY), {}], change, "different", "update"],
  [[{}, {}], change, "different", "update"],
];

test("every pair of copies has one state and one action", () => {
  for (const [[local, remote], fields, state, action] of CASES) {
    assert.deepEqual(compareCopies(local, remote, fields), { state, action });
  }
});
