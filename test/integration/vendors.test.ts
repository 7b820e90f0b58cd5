import assert from "node:assert/strict";
import { test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { Lockstep } from "../../src/engine/lockstep.ts";
import type { RequestedMode, SyncRunResult } from "../../src/engine/results.ts";
import { proveReplica } from "../../src/testing/prove-replica.ts";
import type {
  FaultRequest,
  SampleMls,
  SampleMlsOptions,
  SampleVendor,
} from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

const { signal } = new AbortController();

const STREAMS = [
  {
    stream: "Property",
    keyField: "ListingKeyNumeric",
    lists: ["InteriorFeatures", "Appliances", "BusinessType"],
  },
  { stream: "Member", keyField: "MemberKeyNumeric", lists: [] },
  { stream: "Office", keyField: "OfficeKeyNumeric", lists: [] },
  { stream: "OpenHouse", keyField: "OpenHouseKeyNumeric", lists: [] },
  { stream: "Media", keyField: "MediaKey", lists: ["Permission"] },
  { stream: "PropertyUnitTypes", keyField: "UnitTypeKey", lists: [] },
  { stream: "Lookup", keyField: "LookupKey", lists: [] },
] as const;

interface Vendor {
  readonly name?: string;
  readonly vendor: SampleVendor | undefined;
  readonly mls?: Partial<SampleMlsOptions>;
  readonly system?: Readonly<Record<string, unknown>>;
}

/** Pages are smaller than groups of records that share a time. */
const VENDORS: readonly Vendor[] = [
  { vendor: undefined },
  {
    vendor: "mlsgrid",
    mls: { pageSize: 20 },
    system: { profile: "mlsgrid", originatingSystem: "sample" },
  },
  { vendor: "trestle", mls: { pageSize: 20 }, system: { profile: "trestle" } },
  { vendor: "bridge", mls: { pageSize: 4 }, system: { profile: "bridge" } },
  { vendor: "spark", mls: { pageSize: 20 }, system: { profile: "spark" } },
  {
    name: "a server with EntityEvent",
    vendor: undefined,
    mls: { grants: ["EntityEvent"] },
    system: { profile: "generic", keysPerRead: 7 },
  },
];

/** Every kind of trouble that passes. */
const FAULTS: readonly FaultRequest[] = [
  { kind: "status", status: 503, after: 2 },
  { kind: "reset", after: 4 },
  { kind: "cut", after: 6 },
  { kind: "truncate", after: 8 },
  { kind: "html", after: 10 },
  { kind: "error-body", after: 12 },
  { kind: "status", status: 429, retryAfter: 0, after: 14 },
  { kind: "empty-page", match: "Property", after: 5 },
  { kind: "status", status: 500, after: 18 },
  { kind: "status", status: 504, after: 21 },
  { kind: "malformed", after: 24 },
  { kind: "duplicate", match: "Property", after: 3 },
  { kind: "duplicate", match: "Media", after: 2 },
  { kind: "miscount", match: "count=true", after: 2 },
  { kind: "next-loop", match: "Member", after: 1 },
];

const ROUNDS = 4;
const MINUTE = 60_000;

async function withLockstep<T>(place: Place, act: (lockstep: Lockstep) => Promise<T>): Promise<T> {
  const env = { MLS_TOKEN: place.mls.token };
  const lockstep = await openLockstep({ directory: place.folder, env });
  try {
    return await act(lockstep);
  } finally {
    await lockstep.close();
  }
}

/** Runs in one mode; `between` happens after each committed page. */
function run(
  place: Place,
  mode: RequestedMode,
  between: () => void = () => {},
): Promise<SyncRunResult> {
  return withLockstep(place, (lockstep) =>
    lockstep.run(
      "listings",
      { mode },
      {
        signal,
        emit: (event) => {
          if (event.kind === "progress") between();
        },
      },
    ),
  );
}

function configure(place: Place, { system = {} }: Vendor): void {
  const streams = Object.fromEntries(STREAMS.map(({ stream }) => [stream, null]));
  place.configure(
    JSON.stringify({
      systems: {
        mls: {
          connector: "reso",
          profile: "wfrmls",
          url: place.mls.url,
          token: "env:MLS_TOKEN",
          retry: { attempts: 5, maxWaitSeconds: 0.02 },
          ...system,
        },
      },
      // Days go by between the rounds, and a stream without a time is copied again each time.
      syncs: {
        listings: {
          replicate: "mls",
          guard: { deleteShare: "90%" },
          streams: { ...streams, PropertyUnitTypes: { refresh: "0s" } },
        },
      },
    }),
  );
}

function prove(place: Place, mls: SampleMls): void {
  const streams = STREAMS.map((each) => ({ ...each, truth: mls.truth(each.stream) }));
  for (const { stream, differences, records } of proveReplica(place.home, streams)) {
    assert.deepEqual(differences, [], stream);
    assert.equal(records, mls.count(stream), stream);
  }
}

/** Keys of listings that differ from the truth. */
function differing(place: Place, mls: SampleMls): readonly number[] {
  const [property] = STREAMS;
  const [proof] = proveReplica(place.home, [{ ...property, truth: mls.truth("Property") }]);
  return (proof?.differences ?? []).map((words) => Number(words.split(" ")[1]));
}

async function runWell(place: Place, mode: RequestedMode): Promise<void> {
  const result = await run(place, mode);
  assert.equal(result.outcome, "done", JSON.stringify(result.runs, null, 1));
}

for (const vendor of VENDORS) {
  const name = vendor.name ?? vendor.vendor ?? "wfrmls";
  test(`${name}: hours of edits and trouble leave every field of every record equal`, async (t) => {
    const plays = vendor.vendor === undefined ? {} : { plays: vendor.vendor };
    const mls = await startSmallMls({ photosMax: 2, ...vendor.mls, ...plays });
    t.after(() => mls.close());
    const place = createPlace(mls);
    t.after(() => place.remove());
    configure(place, vendor);

    let step = 0;
    const silent = new Set<number>();
    const tellsOfAll = vendor.name !== undefined;
    const hasFeed = vendor.vendor === undefined || vendor.vendor === "mlsgrid";
    const churn = (edits: number): void => {
      step += 1;
      const { hidden, unhidden, deleted } = mls.control.live({ step, edits });
      const untold = [...hidden, ...unhidden, ...(hasFeed ? [] : deleted)];
      for (const key of tellsOfAll ? [] : untold) silent.add(key);
      mls.control.advance({ ms: 7 * MINUTE });
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const fault of FAULTS) mls.control.fail(fault);
      mls.control.slow({ ms: round === 1 ? 4 : 0 });
      let left = 5;
      await run(place, round === 2 ? "full" : "auto", () => {
        if (left > 0) churn(3);
        left -= 1;
      });
      mls.control.heal();
      mls.control.advance({ ms: 60 * MINUTE });
      churn(10);
    }
    // Quiet: what is told comes by itself, what was withdrawn without a word by a sweep.
    await runWell(place, "auto");
    assert.deepEqual(
      differing(place, mls).filter((key) => !silent.has(key)),
      [],
      "nothing but what no server tells is left for the sweep",
    );
    await runWell(place, "sweep");
    prove(place, mls);
    const { byStatus } = mls.control.stats();
    for (const status of ["500", "503", "504", "429", "reset"]) assert.ok(byStatus[status], status);
    const again = await run(place, "auto");
    assert.deepEqual(again.changes, [], "a quiet source gives no changes");
  });
}
