import { cpus, loadavg, totalmem } from "node:os";

/** What one process of the bench tells of itself. Times include its start. */
export interface Measured {
  readonly records: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly requests?: number;
  /** From when its modules were loaded. */
  readonly overStartMs?: number;
  readonly outcome?: string;
}

export type Row = "floor" | "full" | "unchanged" | "changed" | "nothing new";

export interface Case {
  readonly fields: number;
  readonly page: number;
  readonly database: "sqlite" | "postgres";
}

/** What was measured of one case, one entry a repetition. */
export type Results = ReadonlyMap<Row, readonly Measured[]>;

const MEMORY_MAX = 250e6;
const DATABASES = { sqlite: "SQLite", postgres: "PostgreSQL" } as const;
const NAMES: Readonly<Record<Row, string>> = {
  floor: "floor",
  full: "full, all new",
  unchanged: "full, unchanged",
  changed: "full, 10% changed, history",
  "nothing new": "incremental, nothing new",
};
const HEADER = [
  "",
  "s",
  "CPU s",
  "records/s",
  "of floor",
  "of full",
  "peak MB",
  "requests",
  "goal",
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const speed = ({ records, ms }: Measured): number => (records / ms) * 1000;

/** The median of the ratios of each repetition: a slow minute of the machine slows both sides. */
function ratio(results: Results, row: Row, to: Row): number {
  const pairs = (results.get(row) ?? []).map((measured, index) => {
    const other = results.get(to)?.[index];
    return other === undefined ? Number.NaN : speed(measured) / speed(other);
  });
  return median(pairs);
}

const counted = (value: number): string => Math.round(value).toLocaleString("en-US");
const verdict = (isMet: boolean, goal: string): string => `${goal} ${isMet ? "met" : "NOT MET"}`;

function goalOf(results: Results, row: Row, peak: number): string {
  const peakIsMet = peak <= MEMORY_MAX;
  const memory = row === "floor" || peakIsMet ? "" : `, 250 MB ${verdict(false, "")}`.trimEnd();
  switch (row) {
    case "full":
      return verdict(ratio(results, row, "floor") >= 0.7, "0.7 of floor") + memory;
    case "unchanged":
      return verdict(ratio(results, row, "full") >= 1.6, "1.6 of full") + memory;
    case "changed":
      return verdict(ratio(results, row, "full") >= 1.2, "1.2 of full") + memory;
    case "nothing new": {
      const all = results.get(row) ?? [];
      const over = median(all.map(({ overStartMs = Number.NaN }) => overStartMs));
      const requests = Math.max(...all.map((measured) => measured.requests ?? 0));
      const goal = `${counted(over)} ms over start (300), ${requests} requests (3)`;
      return verdict(over <= 300 && requests <= 3, goal) + memory;
    }
    case "floor":
      return "";
  }
}

/** One case as lines of a Markdown table, whose cells also stand under each other as plain text. */
export function tableOf({ fields, page, database }: Case, results: Results): readonly string[] {
  const records = counted(results.get("floor")?.[0]?.records ?? 0);
  const title = `${DATABASES[database]}, ${records} records of ${fields} fields, pages of ${counted(page)}`;
  const lines = [[title, ...HEADER.slice(1)]];
  for (const [row, all] of results) {
    const peak = Math.max(...all.map(({ peakBytes }) => peakBytes));
    const isRate = row !== "nothing new";
    lines.push([
      NAMES[row],
      (median(all.map(({ ms }) => ms)) / 1000).toFixed(2),
      (median(all.map(({ cpuMs }) => cpuMs)) / 1000).toFixed(2),
      isRate ? counted(median(all.map(speed))) : "",
      isRate ? ratio(results, row, "floor").toFixed(2) : "",
      isRate && row !== "floor" ? ratio(results, row, "full").toFixed(2) : "",
      counted(peak / 1e6),
      row === "floor" ? "" : String(all[0]?.requests ?? ""),
      goalOf(results, row, peak),
    ]);
  }
  return aligned(lines);
}

/** Peak memory of a full copy of so many records, and of how many more. */
export function memoryTable(
  peaks: readonly (readonly [Case, number, number])[],
): readonly string[] {
  const lines = [["peak memory of a full copy", "records", "MB", "of the first", "goal"]];
  const first = new Map<string, number>();
  for (const [{ fields, page, database }, records, peak] of peaks) {
    const name = `${DATABASES[database]}, ${fields} fields, pages of ${counted(page)}`;
    const before = first.get(name);
    first.set(name, before ?? peak);
    const share = before === undefined ? undefined : peak / before;
    const goals = [verdict(peak <= MEMORY_MAX, "250 MB")];
    if (share !== undefined) goals.push(verdict(share <= 1.15, "1.15 of the first"));
    lines.push([
      name,
      counted(records),
      counted(peak / 1e6),
      share?.toFixed(2) ?? "",
      goals.join(", "),
    ]);
  }
  return aligned(lines);
}

function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const [header = []] = lines;
  const isText = (column: number): boolean => column === 0 || column === header.length - 1;
  const widths = header.map((_cell, column) =>
    Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const row = (line: readonly string[]): string =>
    `| ${line.map((cell, at) => (isText(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => (isText(at) ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [row(header), rule, ...lines.slice(1).map(row)];
}

/** What the figures were measured on, in one line. */
export function conditions(repeat: number, loadBefore: number): string {
  const [cpu] = cpus();
  const load = `load average ${loadBefore.toFixed(1)} before and ${(loadavg()[0] ?? 0).toFixed(1)} after`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const date = new Date().toISOString().slice(0, 10);
  const times = repeat === 1 ? "one repetition" : `medians of ${repeat} interleaved repetitions`;
  return `Measured on ${date}: ${cpus().length} × ${cpu?.model ?? "unknown CPU"}, ${memory}, Node ${process.versions.node}, ${load}; ${times}.`;
}
