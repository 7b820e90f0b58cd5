import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { PlanJson, RunJson } from "../../src/cli/json.ts";
import { createLook } from "../../src/cli/render/look.ts";
import { planLines } from "../../src/cli/render/plan.ts";
import type { Lockstep } from "../../src/engine/lockstep.ts";
import type { ReplicatePlan, StepPlan } from "../../src/engine/plan-results.ts";
import type { QuotaReport } from "../../src/engine/upkeep-results.ts";
import type { SampleMls, SampleMlsOptions } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

const { signal } = new AbortController();

const STREAMS = ["Office", "Member", "Property", "OpenHouse", "Media"] as const;

const FAST = { budget: { perSecond: 10_000 }, retry: { attempts: 1, maxWaitSeconds: 0.02 } };

async function createWorld(
  t: TestContext,
  { mls: options, system }: { mls?: Partial<SampleMlsOptions>; system?: object } = {},
): Promise<{ readonly mls: SampleMls; readonly place: Place }> {
  const mls = await startSmallMls({ listings: 260, photosMax: 2, ...options });
  t.after(() => mls.close());
  const place = createPlace(mls);
  t.after(() => place.remove());
  configure(place, system);
  return { mls, place };
}

function configure({ configure: write, mls }: Place, system: object = {}): void {
  write(
    JSON.stringify({
      systems: {
        mls: {
          connector: "reso",
          profile: "wfrmls",
          url: mls.url,
          token: "env:MLS_TOKEN",
          ...FAST,
          ...system,
        },
      },
      syncs: {
        listings: {
          replicate: "mls",
          streams: Object.fromEntries(STREAMS.map((stream) => [stream, null])),
        },
      },
    }),
  );
}

async function withLockstep<T>(place: Place, act: (lockstep: Lockstep) => Promise<T>): Promise<T> {
  const env = { MLS_TOKEN: place.mls.token };
  const lockstep = await openLockstep({ directory: place.folder, env });
  try {
    return await act(lockstep);
  } finally {
    await lockstep.close();
  }
}

async function planOf(
  place: Place,
  ...options: readonly string[]
): Promise<{ readonly exit: number | null; readonly plan: ReplicatePlan }> {
  const { exit, result } = await place.json<PlanJson>(["plan", ...options]);
  const [plan] = result.plans;
  assert.ok(plan?.kind === "replicate", JSON.stringify(result));
  assert.equal(result.due, plan.due);
  return { exit, plan };
}

const stepsOf = (plan: ReplicatePlan, stream: string): readonly StepPlan[] =>
  plan.streams.find((each) => each.stream === stream)?.steps ?? [];

/** Requests that a command makes, as the server counts them. */
async function requestsOf(place: Place, args: readonly string[]): Promise<number> {
  const before = place.mls.control.stats().requests;
  const { exit, err } = await place.lockstep(args);
  assert.equal(exit, 0, err);
  return place.mls.control.stats().requests - before;
}

/** What an estimate may be off by: a tenth, and a request a stream for what a server does unasked. */
function assertNear(estimated: number, made: number, what: string): void {
  const off = Math.abs(estimated - made);
  const said = `${what}: ${estimated} estimated, ${made} made`;
  assert.ok(off <= Math.max(STREAMS.length, made / 10), said);
}

const PLATFORMS: readonly {
  readonly name: string;
  readonly mls?: Partial<SampleMlsOptions>;
  readonly system?: object;
}[] = [
  { name: "WFRMLS" },
  {
    name: "mlsgrid",
    mls: { plays: "mlsgrid" },
    system: { profile: "mlsgrid", originatingSystem: "sample" },
  },
  { name: "trestle", mls: { plays: "trestle" }, system: { profile: "trestle" } },
  { name: "bridge", mls: { plays: "bridge", pageSize: 4 }, system: { profile: "bridge" } },
  { name: "spark", mls: { plays: "spark" }, system: { profile: "spark" } },
];

for (const { name, ...world } of PLATFORMS) {
  test(`the requests of a plan are those that the run makes (${name})`, async (t) => {
    const { mls, place } = await createWorld(t, world);
    for (const mode of ["auto", "full", "incremental", "deletions", "sweep"] as const) {
      const { requests, steps } = await withLockstep(place, async (lockstep) => {
        const plan = await lockstep.plan("listings", { mode }, { signal });
        assert.deepEqual(
          plan.streams.flatMap(({ error }) => (mode === "deletions" ? [] : (error ?? []))),
          [],
        );
        return {
          requests: plan.requests,
          steps: plan.streams.flatMap((each) => each.steps).length,
        };
      });
      if (steps < STREAMS.length) continue;
      const before = mls.control.stats().requests;
      await withLockstep(place, async (lockstep) => {
        const { outcome } = await lockstep.run("listings", { mode }, { signal });
        assert.equal(outcome, "done");
      });
      assertNear(requests, mls.control.stats().requests - before, mode);
    }
  });
}

test("the requests of a plan are those that the run makes, through the command line", async (t) => {
  const { place } = await createWorld(t);
  const { exit, plan } = await planOf(place, "--full");
  assert.equal(exit, 5);
  assertNear(plan.requests, await requestsOf(place, ["run", "--full", "--quiet"]), "full");
});

test("a plan changes nothing, says what there is to do, and ends with 5 until nothing is", async (t) => {
  const { mls, place } = await createWorld(t);
  const fresh = await planOf(place, "--out", "plan.json");
  assert.equal(fresh.exit, 5);
  const written = JSON.parse(readFileSync(join(place.folder, "plan.json"), "utf8")) as PlanJson;
  assert.deepEqual(written.plans, [fresh.plan]);
  for (const stream of STREAMS) {
    const [step] = stepsOf(fresh.plan, stream);
    assert.deepEqual(
      [step?.mode, step?.action, step?.records, step?.atLeast],
      ["full", "copy", mls.count(stream), false],
    );
    assert.ok((step?.bytes ?? 0) > 0, stream);
  }
  const unchanged = await planOf(place);
  assert.deepEqual(
    unchanged.plan.streams.map(({ rows, schema }) => [rows, schema[0]?.kind]),
    STREAMS.map(() => [0, "create-table"]),
  );

  assert.equal((await place.lockstep(["run", "--quiet"])).exit, 0);
  const still = await planOf(place);
  assert.equal(still.exit, 0, JSON.stringify(still.plan.streams, null, 2));
  const { out } = await place.lockstep(["plan"]);
  assert.match(out, /^Nothing to do: listings is up to date/);

  const [one, two, three] = [...mls.truth("Property")].map(({ key }) => Number(key));
  mls.control.advance({ ms: 3_600_000 });
  mls.control.edit({ key: one!, fields: { ListPrice: 1 } });
  mls.control.edit({ key: two!, fields: { ListPrice: 2 } });
  mls.control.delete({ key: three! });
  const news = await planOf(place);
  assert.equal(news.exit, 5);
  const [changes, deletions] = stepsOf(news.plan, "Property");
  assert.deepEqual(
    [changes?.action, changes?.records, deletions?.action, deletions?.records],
    ["read", 2, "read", 1],
  );
  assert.deepEqual(
    stepsOf(news.plan, "Office").map(({ action }) => action),
    ["nothing", "nothing"],
  );
  const told = await place.lockstep(["plan"]);
  assert.equal(told.exit, 5);
  assert.match(told.out, /^To do: listings: at least \d+ requests/);
  assert.match(told.out, /^~ +Property +changes since \S+ \S+ +≥ 2/m);
  assert.match(told.out, /^- +deletions +≥ 1/m);
  const { plan } = await planOf(place, "--stream", "Office");
  assert.equal(plan.due, false);
});

test("an interrupted copy is planned from where it stands; what cannot run says why", async (t) => {
  const { mls, place } = await createWorld(t);
  const whole = await planOf(place, "--full", "--stream", "Property");
  mls.control.fail({
    kind: "status",
    status: 500,
    match: "$filter=ListingKeyNumeric gt",
    after: 4,
    times: 99,
  });
  assert.equal((await place.lockstep(["run", "--full", "--stream", "Property"])).exit, 1);
  mls.control.heal();
  const rest = await planOf(place, "--full", "--stream", "Property");
  const [step] = stepsOf(rest.plan, "Property");
  assert.deepEqual([step?.action, step?.after, step?.records], ["resume", 100, 160]);
  assert.ok(rest.plan.requests < whole.plan.requests);
  const made = await requestsOf(place, ["run", "--full", "--stream", "Property", "--quiet"]);
  assertNear(rest.plan.requests, made, "resumed");

  const never = await planOf(place, "--incremental", "--stream", "Media");
  assert.equal(never.exit, 1);
  assert.equal(never.plan.streams[0]?.error?.code, "CURSOR_MISSING");
});

test("a plan weighs the requests against every quota, also against what the system tells", async (t) => {
  const { mls, place } = await createWorld(t);
  const first = await planOf(place);
  // What is used is counted without a budget too; the next plan itself must still be let through.
  const used = mls.control.stats().requests;
  const perHour = used + first.plan.asked + 5;
  configure(place, { budget: { perHour, perDay: perHour + 5 } });
  const { plan } = await planOf(place);
  const { windows, bottleneck, fitsToday } = plan.quota;
  assert.deepEqual(
    windows.map(({ window, needed, limit }) => [window, needed, limit]),
    [
      ["hour", plan.requests, perHour],
      ["day", plan.requests, perHour + 5],
    ],
  );
  assert.ok(windows.every(({ left, needed }) => left < needed));
  assert.equal(bottleneck?.window, "day");
  assert.equal(fitsToday, false);
  assert.ok(plan.endsAt >= Math.max(...windows.map(({ endsAt }) => endsAt)));
  const look = createLook({ isColoured: false, timeZone: "UTC", now: plan.at, columns: 200 });
  const out = planLines(plan, look).join("\n");
  assert.match(out, new RegExp(`Held up by ${perHour + 5} requests a day\\.`));
  assert.match(out, /Does not fit today: \d+ of \d+ requests are left/);
  assert.match(out, /^day +requests .*← the slowest$/m);

  configure(place, {});
  mls.control.resetStats();
  mls.control.quota({ limit: 3000, windowSeconds: 86_400 });
  await place.lockstep(["plan"]);
  const { requests } = mls.control.stats();
  const { result } = await place.json<QuotaReport>(["quota"]);
  const [told] = result.systems[0]?.told ?? [];
  // Those under way when an answer came are counted twice, to be safe.
  const missed = 3000 - requests - (told?.left ?? 0);
  assert.equal(told?.limit, 3000);
  assert.ok(missed >= 0 && missed <= 8, String(missed));
});

test("a system that bears one at a time gets no more, and the run and quota say so", async (t) => {
  const { mls, place } = await createWorld(t, {
    system: { retry: { attempts: 9, maxWaitSeconds: 1 } },
  });
  mls.control.slow({ ms: 3 });
  mls.control.crowd({ atOnce: 1 });
  const { exit, result } = await place.json<RunJson>(["run"]);
  assert.equal(exit, 0);
  const reports = result.results.flatMap(({ runs }) => runs);
  const halved = reports.flatMap(({ concurrency }) => concurrency ?? []);
  assert.ok(halved.some(({ halvings, max }) => halvings > 0 && max === 4));
  await place.prove();
  configure(place, { retry: { attempts: 3, maxWaitSeconds: 0.02 } });
  mls.control.fail({ kind: "status", status: 503, times: 99 });
  assert.equal((await place.lockstep(["plan"])).exit, 1);
  const quota = await place.json<QuotaReport>(["quota"]);
  const { limit, max } = quota.result.systems[0]?.concurrency ?? {};
  assert.deepEqual([limit, max], [1, 4]);
  const { out } = await place.lockstep(["quota"]);
  assert.match(out, /It was overloaded: 1 of 4 requests at a time since/);
});
