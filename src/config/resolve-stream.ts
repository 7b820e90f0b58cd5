import type {
  MonitorSpec,
  ParentSpec,
  StreamDefaults,
  StreamSpec,
  ValidationRule,
} from "../model/replicate.ts";
import type {
  MonitorInput,
  ParentInput,
  RuleInput,
  StreamInput,
  SyncInput,
} from "./config-input.ts";
import { type ConfigPath, type ConfigProblem, showValue } from "./config-problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { parseDuration } from "./quantities.ts";

interface StreamPlace {
  readonly sync: SyncInput;
  /** Where the stream stands in the configuration. */
  readonly path: ConfigPath;
  /** All streams of the sync. */
  readonly names: readonly string[];
  readonly defaults: StreamDefaults;
  readonly problems: ConfigProblem[];
}

const DEFAULT_OVERLAP_MS = 600_000;
const DEFAULT_OVERLAP_MAX_MS = 6 * 3_600_000;
const DEFAULT_REFRESH_MS = 24 * 3_600_000;

/** One stream with its sync's and its connector's defaults; mistakes are added to `problems`. */
export function resolveStream(stream: string, input: StreamInput, place: StreamPlace): StreamSpec {
  const { sync, defaults } = place;
  const overlapMs = duration(
    input.overlap ?? sync.overlap,
    defaults.overlapMs ?? DEFAULT_OVERLAP_MS,
  );
  const parent = resolveParent(stream, input.parent, place);
  const partitions = input.partitions ?? sync.partitions ?? 1;
  return {
    stream,
    table: input.table ?? defaults.table ?? stream,
    naming: input.naming ?? sync.naming ?? "source",
    ...(input.select === undefined ? {} : { select: input.select }),
    ...(input.filter === undefined ? {} : { filter: input.filter }),
    deletes: input.deletes ?? sync.deletes ?? "remove",
    drift: input.drift ?? sync.drift ?? "evolve",
    overlapMs,
    overlapMaxMs: Math.max(
      overlapMs,
      duration(input.overlapMax ?? sync.overlapMax, DEFAULT_OVERLAP_MAX_MS),
    ),
    refreshMs: duration(input.refresh ?? sync.refresh, defaults.refreshMs ?? DEFAULT_REFRESH_MS),
    history: input.history ?? sync.history ?? "full",
    monitor: resolveMonitor(input.monitor, place),
    ...(parent === undefined ? {} : { parent }),
    ...(partitions > 1 ? { partitions } : {}),
    rules: (input.validate ?? []).flatMap((rule, index) =>
      resolveRule(rule, [...place.path, "validate", index], place.problems),
    ),
  };
}

/** The schema has let only durations through. */
function duration(text: string | undefined, otherwise: number): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
}

function resolveParent(
  stream: string,
  input: ParentInput | undefined,
  place: StreamPlace,
): ParentSpec | undefined {
  if (input === undefined) {
    const known = place.defaults.parent;
    return known !== undefined && place.names.includes(known.stream) ? known : undefined;
  }
  const others = place.names.filter((name) => name !== stream);
  if (!others.includes(input.stream)) {
    const allowed = others.length === 0 ? "none, it is the only stream" : others.join(", ");
    place.problems.push({
      path: [...place.path, "parent", "stream"],
      message: `is ${showValue(input.stream)}, which is no other stream of this sync${didYouMean(input.stream, others)}; allowed: ${allowed}`,
    });
  }
  return {
    stream: input.stream,
    field: input.field,
    parentField: input.parentField ?? place.defaults.parent?.parentField ?? input.field,
  };
}

function resolveMonitor(input: MonitorInput | undefined, place: StreamPlace): MonitorSpec {
  const defaults = place.defaults.monitor ?? { status: [], price: [], transitions: [] };
  const status = input?.status === undefined ? defaults.status : [input.status].flat();
  if (input?.transitions !== undefined && status.length === 0) {
    place.problems.push({
      path: [...place.path, "monitor", "transitions"],
      message: "has no status field to watch; expected `status` beside it",
    });
  }
  return {
    status,
    price: input?.price === undefined ? defaults.price : [input.price].flat(),
    transitions: input?.transitions?.map(splitTransition) ?? defaults.transitions,
  };
}

function splitTransition(text: string): readonly [string, string] {
  const [before = "", after = ""] = text.split(":");
  return [before.trim(), after.trim()];
}

function resolveRule(
  input: RuleInput,
  path: ConfigPath,
  problems: ConfigProblem[],
): readonly ValidationRule[] {
  const { field, otherwise = "park" } = input;
  const checks: ValidationRule["check"][] = [];
  if (input.required) checks.push({ kind: "required" });
  if (input.min !== undefined) checks.push({ kind: "min", value: input.min });
  if (input.max !== undefined) checks.push({ kind: "max", value: input.max });
  if (input.maxLength !== undefined) checks.push({ kind: "maxLength", value: input.maxLength });
  if (input.oneOf !== undefined) checks.push({ kind: "oneOf", values: input.oneOf });
  if (input.pattern !== undefined) checks.push({ kind: "pattern", source: input.pattern });
  if (checks.length === 0) {
    problems.push({
      path,
      message:
        "checks nothing; expected at least one of required, min, max, maxLength, oneOf, pattern",
    });
  }
  if (input.pattern !== undefined && !isPattern(input.pattern)) {
    problems.push({
      path: [...path, "pattern"],
      message: `is ${showValue(input.pattern)}; expected a regular expression`,
    });
  }
  return checks.map((check) => ({ field, check, otherwise }));
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}
