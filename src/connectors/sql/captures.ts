import { randomUUID } from "node:crypto";
import type { CaptureRequest, CaptureStep } from "../../ports/connector.ts";
import type { Capture, SqlTable } from "./table.ts";

export const OUTBOX = "_lockstep_outbox";
export const REGISTRY = "_lockstep_capture";

const KEEP_DAYS = 14;

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The table with its capture; one by another key than the table's, or without triggers, is none. */
export function captured<T extends SqlTable>(table: T, capture: T["capture"]): T {
  const { schema } = table;
  if (capture?.works !== true || !isSameKey(capture.key, schema.key)) return table;
  const traits = { ...schema.traits, changes: true, events: true, deletions: true };
  return { ...table, schema: { ...schema, traits }, capture };
}

const isSameKey = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** What each database says in its own way to capture changes. */
export interface CaptureSql {
  /** The tables' names as statements say them. */
  readonly outbox: string;
  readonly registry: string;
  /** Make the two tables where they are not there. */
  readonly tables: readonly string[];
  triggers(stream: string, key: readonly string[]): readonly string[];
  /** Takes the triggers of a stream away, and what they noted. */
  removal(stream: string): readonly string[];
}

/** What is to be done; `keyOf` throws for a stream that cannot be captured. */
export function captureSteps(
  sql: CaptureSql,
  captures: ReadonlyMap<string, Capture>,
  request: CaptureRequest,
  keyOf: (stream: string) => readonly string[],
): readonly CaptureStep[] {
  const streams = [...new Set(request.streams ?? captures.keys())];
  if (request.action === "uninstall") return uninstallSteps(sql, captures, streams);
  return streams.map((stream) => {
    const known = captures.get(stream);
    const keepDays = request.keepDays ?? known?.keepDays ?? KEEP_DAYS;
    return { stream, statements: installing(sql, known, { stream, key: keyOf(stream), keepDays }) };
  });
}

function installing(
  { registry, tables, triggers, removal }: CaptureSql,
  known: Capture | undefined,
  wanted: { readonly stream: string; readonly key: readonly string[]; readonly keepDays: number },
): readonly string[] {
  const { stream, key, keepDays } = wanted;
  const relation = literal(stream);
  if (known?.works === true && isSameKey(known.key, key)) {
    if (known.keepDays === keepDays) return [];
    return [`UPDATE ${registry} SET keep_days = ${keepDays} WHERE relation = ${relation}`];
  }
  return [
    ...tables,
    ...(known === undefined ? [] : removal(stream)),
    ...triggers(stream, key),
    `INSERT INTO ${registry} (relation, id, "key", keep_days)
  VALUES (${relation}, ${literal(randomUUID())}, ${literal(JSON.stringify(key))}, ${keepDays})`,
  ];
}

/** With the last capture go the tables as well. */
function uninstallSteps(
  { outbox, registry, removal }: CaptureSql,
  captures: ReadonlyMap<string, Capture>,
  streams: readonly string[],
): readonly CaptureStep[] {
  const steps = streams.map(
    (stream): CaptureStep => ({ stream, statements: captures.has(stream) ? removal(stream) : [] }),
  );
  const last = steps.findLast(({ statements }) => statements.length > 0);
  const isEmpty = [...captures.keys()].every((stream) => streams.includes(stream));
  if (last === undefined || !isEmpty) return steps;
  const drops = [outbox, registry].map((name) => `DROP TABLE ${name}`);
  return steps.map((step) =>
    step === last ? { ...step, statements: [...step.statements, ...drops] } : step,
  );
}
