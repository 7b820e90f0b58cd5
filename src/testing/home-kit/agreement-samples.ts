import type { PlanHead, PlannedRecord } from "../../model/plan.ts";
import type { Acknowledged } from "../../model/reconcile.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Agreements, StagedRecord } from "../../ports/agreements.ts";
import type { Home, Lease } from "../../ports/home.ts";
import type { SettledRecord } from "../../ports/settlement.ts";
import { key } from "./subject.ts";

export const SYNC = "kit";
export const HOSTILE = [
  "",
  null,
  undefined,
  "a\0b",
  "\ud800",
  "007",
  " x ",
  ["b", "a"],
  0.1,
  false,
];

type Kept = Home & Agreements;

export const said = (values: Acknowledged["returned"]): Acknowledged => ({
  returned: values,
  stoodFor: values.map((value) => (value === undefined ? undefined : value)),
});

export const staged = (
  side: string,
  name: string | undefined,
  at = `${side}-${name}`,
): StagedRecord => ({
  side,
  key: key(at),
  state: "present",
  values: HOSTILE,
  ...(name === undefined ? {} : { name }),
});

export const planned = (link: number, plan: string, operations = 1): PlannedRecord => ({
  link,
  isNew: true,
  name: `n${link}`,
  agreed: HOSTILE,
  record: { kind: "first-met", sides: ["a"] },
  reasons: [{ kind: "agreed" }],
  operations: Array.from({ length: operations }, (_, at) => ({
    id: `${plan}:${link}:${at}`,
    side: "b",
    kind: "update" as const,
    key: key(`b-n${link}`),
    fields: [{ field: "f", before: null, after: "\ud800" }],
  })),
  acknowledged: [{ side: "a", key: key(`a-n${link}`), acknowledged: said(HOSTILE) }],
  unlinked: [],
  ends: false,
  behind: false,
  troubles: [],
});

export const settled = (link: number, changes: Partial<SettledRecord> = {}): SettledRecord => ({
  link,
  name: `n${link}`,
  agreed: HOSTILE,
  ends: false,
  behind: false,
  sides: ["a", "b"].map((side) => ({
    side,
    key: key(`${side}-n${link}`),
    acknowledged: said(HOSTILE),
    hash: `hash-${side}`,
    version: "v\0",
  })),
  unlinked: [],
  operations: [],
  questions: [],
  ...changes,
});

export const head = (plan: string, madeAt = 1): PlanHead => ({
  format: 1,
  plan,
  sync: SYNC,
  madeAt,
  fields: ["f"],
  basis: { configuration: "c", generation: 0 },
  sides: { a: { creates: 0, updates: 0, deletes: 0 } },
  observed: {},
  records: { compared: 1, matched: 0, alone: 1, inReview: 0 },
  positions: {},
  notes: [],
});

export async function settle(
  home: Kept,
  lease: Lease,
  plan: string,
  records: readonly SettledRecord[],
  completes = false,
): Promise<void> {
  await home.settle({ lease, runId: "run", plan, at: 1000, records, completes });
}

export const keptBy = (home: Home): Kept => home as Kept;
export const keysOf = (records: readonly { readonly key: RecordKey }[]): readonly string[] =>
  records.map((record) => String(record.key)).sort();
