import { randomUUID } from "node:crypto";
import { SyncError } from "../../model/sync-error.ts";
import type { CaptureRequest, CaptureStep } from "../../ports/connector.ts";
import { type Capture, type SqlTable, tableNamed } from "./table.ts";

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

/**
 * Throws DESTINATION_FOREIGN_TABLE where of the two tables only one was found: it is somebody
 * else's. `place` is such as `The schema "x"`.
 */
export function refuseForeign(place: string, found: readonly string[]): void {
  const [name] = found;
  if (name === undefined || found.length > 1) return;
  throw new SyncError(
    "DESTINATION_FOREIGN_TABLE",
    `${place} has a table "${name}" that was not made by \`install-capture\`.`,
    { hint: "Rename it, or remove it if it is a remainder." },
  );
}

/**
 * Gives the keys of streams. Throws STREAM_UNKNOWN, and CONNECTOR_UNSUPPORTED for the reason told.
 */
export const capturableKeys =
  <T extends SqlTable>(
    tables: ReadonlyMap<string, T>,
    whyNot: (table: T, stream: string) => string | undefined,
  ) =>
  (stream: string): readonly string[] => {
    const table = tableNamed(tables, stream);
    const why = whyNot(table, stream);
    if (why === undefined) return table.schema.key;
    const message = `"${stream}" cannot be captured: ${why}.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context: { stream } });
  };

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
