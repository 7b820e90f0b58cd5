import type { SyncRunResult } from "../../engine/results.ts";
import { addFileLedgers, EMPTY_FILE_LEDGER, type FileLedger } from "../../model/media.ts";
import type { RunReport } from "../../model/run.ts";
import { formatBytes, formatCount, plural } from "./numbers.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { formatDuration } from "./times.ts";

/** `12 fetched, 3 removed, 1 parked`; for a run that goes on. */
export function filesInWords(files: FileLedger): string {
  const parts = (["fetched", "refreshed", "removed", "parked"] as const).flatMap((name) =>
    files[name] === 0 ? [] : [`${formatCount(files[name])} ${name}`],
  );
  return parts.length === 0 ? "nothing to fetch" : parts.join(", ");
}

/** What a run of mode `media` changed, in a sentence. */
export function changedFiles({ runs }: SyncRunResult): readonly string[] {
  const sum = runs
    .flatMap(({ streams }) => streams)
    .reduce((total, { files = {} }) => addFileLedgers(total, files), EMPTY_FILE_LEDGER);
  const records = plural(sum.records, "record");
  const bytes = sum.bytes === 0 ? "" : ` (${formatBytes(sum.bytes)})`;
  const done = filesInWords({ ...sum, parked: 0 });
  return [`${records} looked at: ${done}${bytes}.`];
}

const COLUMNS = [
  ["records", true],
  ["listed", true],
  ["fetched", true],
  ["refreshed", true],
  ["unchanged", true],
  ["skipped", false],
  ["parked", false],
  ["removed", true],
  ["kept", false],
] as const satisfies readonly (readonly [keyof FileLedger, boolean])[];

/** Where every listed file went, stream by stream. */
export function filesTable(runs: readonly RunReport[], style: Style): readonly string[] {
  const parts = runs.flatMap(({ streams }) => streams);
  const columns = COLUMNS.filter(
    ([name, always]) => always || parts.some(({ files }) => (files?.[name] ?? 0) > 0),
  );
  return table(
    [
      { title: "files" },
      ...columns.map(([title]) => ({ title, align: "right" }) as const),
      { title: "time", align: "right" },
      { title: "" },
    ],
    parts.map(({ stream, files = EMPTY_FILE_LEDGER, startedAt, finishedAt, phase }) => [
      stream,
      ...columns.map(([name]) => formatCount(files[name])),
      formatDuration(finishedAt - startedAt),
      phase === "done" ? "" : phase,
    ]),
    style,
  );
}
