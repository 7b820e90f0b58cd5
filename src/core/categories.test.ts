import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeKind } from "../model/change.ts";
import type { RecordKey } from "../model/record.ts";
import type { MonitorSpec } from "../model/replicate.ts";
import { categoriesOf } from "./categories.ts";

const MONITOR: MonitorSpec = {
  status: ["StandardStatus", "MlsStatus"],
  price: ["ListPrice", "ClosePrice"],
  transitions: [],
};
const NONE: MonitorSpec = { status: [], price: [], transitions: [] };

const change = (kind: ChangeKind, ...fields: readonly string[]): Change => ({
  kind,
  key: "1" as RecordKey,
  fields: fields.map((field) => ({ field, before: null, after: "x" })),
});

const CASES: readonly (readonly [Change, MonitorSpec, readonly string[]])[] = [
  [change("create"), MONITOR, ["new"]],
  [change("delete"), MONITOR, ["deleted"]],
  [change("update", "Remarks"), MONITOR, ["updated"]],
  [change("update", "MlsStatus"), MONITOR, ["updated", "status"]],
  [change("update", "ClosePrice"), MONITOR, ["updated", "price"]],
  [change("update", "ListPrice", "StandardStatus"), MONITOR, ["updated", "status", "price"]],
  [change("update", "liststatus"), MONITOR, ["updated"]],
  [change("update", "StandardStatus"), NONE, ["updated"]],
  [change("update"), MONITOR, ["updated"]],
];

test("every change is of the categories of what it changed", () => {
  for (const [logged, monitor, categories] of CASES) {
    assert.deepEqual(categoriesOf(logged, monitor), categories);
  }
});
