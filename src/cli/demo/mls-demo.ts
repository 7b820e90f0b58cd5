import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { ClassifiedChange, RequestedMode, SyncRunResult } from "../../engine/results.ts";
import type { Proof } from "../../testing/prove-replica.ts";
import type { SampleMls } from "../../testing/sample-mls/index.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { liveThroughADay, type Story, storyInWords } from "./mls-story.ts";

export interface MlsDemoOptions {
  readonly listings: number;
  readonly directory: string;
}

/** The streams of the demo, with their keys and those fields that hold several values. */
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
] as const;

/**
 * The main job from end to end, over real HTTP into a real database: a first copy, a day in the
 * life of the MLS, the runs that follow it, and the proof that the replica is equal. Leaves the
 * database and its configuration in place.
 */
export async function runMlsDemo(
  cli: Cli,
  session: Session,
  options: MlsDemoOptions,
): Promise<ExitCode> {
  const { startSampleMls } = await import("../../testing/sample-mls/index.ts");
  const directory = resolve(session.io.directory, options.directory);
  const mls = await startSampleMls({ listings: options.listings });
  try {
    writeDemoConfig(directory, mls.url);
    const lockstep = await cli.app.open({
      directory,
      env: { ...session.io.env, SAMPLE_MLS_TOKEN: mls.token ?? "" },
    });
    try {
      return await tellDemo(session, { lockstep, mls, directory });
    } finally {
      await lockstep.close();
    }
  } finally {
    await mls.close();
  }
}

interface Demo {
  readonly lockstep: Lockstep;
  readonly mls: SampleMls;
  readonly directory: string;
}

async function tellDemo(session: Session, demo: Demo): Promise<ExitCode> {
  const { lockstep, mls } = demo;
  const { style } = await session.look();
  const say = (...lines: readonly string[]): void => {
    if (!session.globals.json) session.io.out(lines.map((line) => `${line}\n`).join(""));
  };
  const step = (title: string): void => say("", style.bold(title));
  say(
    `A sample MLS with ${mls.count("Property").toLocaleString("en-US")} listings, shaped like WFRMLS, serves ${mls.url}`,
  );

  step("1. The first copy");
  const first = await runAndShow(session, lockstep, "auto", say);
  if (first.outcome !== "done") {
    say("", "The first copy did not end well, so the demo ends here.");
    return EXIT.failed;
  }
  step("2. A day passes at the MLS");
  const story = liveThroughADay(mls);
  say(...storyInWords(story).map((line) => `  ${line}`));
  step("3. What changed is read, and nothing else");
  const next = await runAndShow(session, lockstep, "auto", say);
  step("4. A sweep compares all keys, and finds what became invisible");
  const sweep = await runAndShow(session, lockstep, "sweep", say);

  step("5. The proof: every field of every record beside the server's own truth");
  const { proveReplica } = await import("../../testing/prove-replica.ts");
  const proofs = proveReplica(
    join(demo.directory, "lockstep.db"),
    STREAMS.map((entry) => ({ ...entry, truth: mls.truth(entry.stream) })),
  );
  say(...proofs.flatMap(proofInWords));
  const isEqual = proofs.every(({ differences }) => differences.length === 0);
  say(
    isEqual
      ? style.green("  Equal, field by field.")
      : style.red("  NOT EQUAL: please report this."),
  );

  step("6. What changed, from the change log");
  await showPrices(session, lockstep, say);
  await finish(session, demo, { runs: [first, next, sweep], proofs, story, isEqual });
  return isEqual && [first, next, sweep].every((run) => run.outcome === "done")
    ? EXIT.done
    : EXIT.failed;
}

async function runAndShow(
  session: Session,
  lockstep: Lockstep,
  mode: RequestedMode,
  say: (...lines: readonly string[]) => void,
): Promise<SyncRunResult> {
  const result = await session.withWatch((watch) => lockstep.run("mls", { mode }, watch));
  const { runSummary } = await import("../render/run-summary.ts");
  const summary = runSummary(result, await session.look());
  const next = summary.indexOf("Next:");
  say(...(next < 0 ? summary : summary.slice(0, next - 1)).map((line) => `  ${line}`));
  return result;
}

function proofInWords({ stream, records, values, differences }: Proof): readonly string[] {
  const count = (value: number): string => value.toLocaleString("en-US").padStart(9);
  const verdict = differences.length === 0 ? "equal" : `${differences.length} differences or more`;
  return [
    `  ${stream.padEnd(10)}${count(records)} records ${count(values)} values  ${verdict}`,
    ...differences.slice(0, 5).map((line) => `    ${line}`),
  ];
}

async function showPrices(
  session: Session,
  lockstep: Lockstep,
  say: (...lines: readonly string[]) => void,
): Promise<void> {
  const { changeColumns, changeLines } = await import("../render/changes.ts");
  const changes: ClassifiedChange[] = [];
  const request = { stream: "Property", categories: ["price", "status"], limit: 8 } as const;
  for await (const change of lockstep.changes(request)) changes.push(change);
  const monitors = lockstep.syncs.flatMap((sync) => sync.streams);
  const monitor = monitors.find(({ stream }) => stream === "Property")?.monitor;
  if (monitor === undefined) return;
  const look = await session.look();
  const columns = changeColumns(changes, { stream: "Property".length, key: 7 });
  for (const change of changes) {
    say(...changeLines(change, monitor, columns, look).map((line) => `  ${line}`));
  }
}

async function finish(
  session: Session,
  { directory }: Demo,
  result: {
    readonly runs: readonly SyncRunResult[];
    readonly proofs: readonly Proof[];
    readonly story: Story;
    readonly isEqual: boolean;
  },
): Promise<void> {
  const folder = relative(session.io.directory, directory) || ".";
  await session.print({ ...result, directory }, () => [
    "",
    `The replica stays: ${folder}/lockstep.db, with its configuration ${folder}/lockstep.yaml`,
    "",
    "Try next:",
    `  npx lockstep -c ${folder}/lockstep.yaml status`,
    `  npx lockstep -c ${folder}/lockstep.yaml changes Property --field ListPrice --since 1d`,
    `  npx lockstep -c ${folder}/lockstep.yaml changes --transition Active:Pending`,
    `  npx lockstep -c ${folder}/lockstep.yaml show Property ${result.story.day.prices[0] ?? 1000002} --with Media,OpenHouse`,
    "  npx lockstep init wfrmls        a configuration for the real thing",
  ]);
}

/** The demo begins anew each time; it takes away nothing but its own files. */
function writeDemoConfig(directory: string, url: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of ["lockstep.db", "lockstep.db-wal", "lockstep.db-shm"]) {
    rmSync(join(directory, name), { force: true });
  }
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `# Written by \`lockstep demo mls\`; the sample MLS it names ended with the demo.
home: sqlite:./lockstep.db

systems:
  sample:
    connector: reso
    profile: wfrmls
    url: ${url}
    token: env:SAMPLE_MLS_TOKEN
    budget: { perSecond: 1000 }

syncs:
  mls:
    replicate: sample
    streams:
      Property:
      Member:
      Office:
      OpenHouse:
      Media:
`,
  );
}
