import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanBasis } from "../model/plan.ts";
import { whatMoved } from "./plan-staleness.ts";

const BASIS: PlanBasis = { configuration: "c1", generation: 7 };

const CASES: readonly (readonly [string, Partial<PlanBasis>, readonly string[]])[] = [
  ["nothing moved", {}, []],
  [
    "another configuration",
    { configuration: "c2" },
    ['The configuration of "stock" changed since the plan was made.'],
  ],
  [
    "one plan applied",
    { generation: 8 },
    ['Another plan of "stock" was applied, or took its place, since this one was made.'],
  ],
  [
    "several plans applied",
    { generation: 10 },
    ['3 other plans of "stock" were applied, or took its place, since this one was made.'],
  ],
  [
    "a home put back to an older state",
    { generation: 6 },
    ['The plan of "stock" was made in another home, or in a later state of this one.'],
  ],
  [
    "both",
    { configuration: "c2", generation: 8 },
    [
      'The configuration of "stock" changed since the plan was made.',
      'Another plan of "stock" was applied, or took its place, since this one was made.',
    ],
  ],
];

for (const [name, now, expected] of CASES) {
  test(`a plan is stale: ${name}`, () => {
    const moved = whatMoved("stock", BASIS, { ...BASIS, ...now });
    assert.deepEqual(
      moved.map(({ message }) => message),
      expected,
    );
  });
}
