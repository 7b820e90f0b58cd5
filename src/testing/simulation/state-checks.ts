import { secondOf } from "../../connectors/memory/order.ts";
import type { MemoryRow, NamedValues } from "../../connectors/memory/system.ts";
import { createMemoryHome } from "../../homes/memory/home.ts";
import type { Checkpoint, Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import { valuesEqual } from "../../model/value.ts";
import type { Home } from "../../ports/home.ts";
import { createReplay, differingField, type Replica, readReplica } from "./replica.ts";
import type { RecordHistory } from "./truth.ts";
import type { WorldState } from "./world-state.ts";

/** A home on what the processes left behind, which no fault reaches. */
export function calmHome(world: WorldState): Home {
  const now = (): number => world.timeline.now() + world.machine.offsetMs;
  return createMemoryHome({ clock: { ...world.timeline, now }, state: world.home });
}

/** The oldest time that the next reading of changes comes past, at the least. */
function oldestCovered(spec: StreamSpec, { cursor, state }: Checkpoint): string {
  const time = cursor === null ? "" : timeOf(cursor);
  const { readingMs = 0 } = state as { readonly readingMs?: number };
  return time === "" ? "" : secondOf(Date.parse(time) - spec.overlapMs - readingMs);
}

/** The time in a cursor for changes, as the memory connector writes it. */
const timeOf = (cursor: Cursor): string => (JSON.parse(cursor) as { readonly time: string }).time;

/** Everything that must hold whenever no process runs, however the last one ended. */
export async function checkState(world: WorldState): Promise<void> {
  for (const spec of world.shape.spec.streams) {
    await checkCheckpoint(world, spec);
    await checkLog(world, spec);
  }
}

/** The checkpoint is never ahead of the data: what no later reading finds is in the replica. */
async function checkCheckpoint(world: WorldState, spec: StreamSpec): Promise<void> {
  const { stream } = spec;
  const checkpoint = await calmHome(world).checkpoint(world.shape.spec.name, stream, "changes");
  if (checkpoint?.cursor == null) return;
  if (world.system.schema(stream).traits.events) return checkEvents(world, spec, checkpoint);
  const from = oldestCovered(spec, checkpoint);
  const replica = readReplica(world.rows, stream);
  // While a column is missing, a row that seems equal may yet differ in it.
  const isWhole = missingColumns(world, spec, replica).length === 0;
  for (const row of world.people.shown(stream)) {
    const history = world.people.history(stream, row.id);
    if (!world.people.isGood(stream, row) || history === undefined) continue;
    const difference = compare(spec, replica, row, history);
    if (difference === undefined && isWhole) {
      history.excused = false;
      history.silent = false;
    } else if (
      difference !== undefined &&
      !history.excused &&
      row.time !== undefined &&
      row.time < from
    ) {
      world.violations.push(
        `${stream} ${JSON.stringify(row.id)} of ${row.time} is lost: the next reading begins at ${from}; ${difference}`,
      );
    }
  }
}

/**
 * The same where changes go by events, which come neither late nor silently: of a key whose events
 * are all behind the checkpoint, the replica has what the system shows, or it is noted as gone.
 */
function checkEvents(
  world: WorldState,
  spec: StreamSpec,
  { cursor, state }: Checkpoint & { readonly cursor: Cursor | null },
): void {
  const { stream } = spec;
  const { sequence } = JSON.parse(String(cursor)) as { readonly sequence: number };
  const newest = new Map(world.system.events(stream).map((event) => [event.key, event.sequence]));
  const isRead = (key: RecordKey): boolean => (newest.get(key) ?? 0) <= sequence;
  const replica = readReplica(world.rows, stream);
  const shown = world.people.shown(stream);
  for (const row of shown) {
    const history = world.people.history(stream, row.id);
    if (!world.people.isGood(stream, row) || history === undefined || !isRead(row.id)) continue;
    const difference = compare(spec, replica, row, history);
    if (difference === undefined) continue;
    world.violations.push(`${stream} ${JSON.stringify(row.id)} is lost by events: ${difference}`);
  }
  const known = new Set<RecordKey>([
    ...shown.map(({ id }) => id),
    ...((state["gone"] ?? []) as readonly RecordKey[]),
  ]);
  for (const key of replica.rows.keys()) {
    if (known.has(key) || !isRead(key)) continue;
    world.violations.push(`the deletion of ${stream} ${JSON.stringify(key)} is lost by events`);
  }
}

/** How the replica's row differs from the source's record; undefined when it does not. */
function compare(
  spec: StreamSpec,
  replica: Replica,
  row: MemoryRow,
  history: RecordHistory,
): string | undefined {
  const copy = replica.rows.get(row.id);
  if (copy === undefined) return "the replica has no such row";
  for (const field of replica.fields) {
    const held = copy[field] ?? null;
    const real = row.values[field];
    const known =
      real === undefined
        ? held === null || history.versions.some((image) => valuesEqual(image[field], held))
        : valuesEqual(held, real);
    if (!known) {
      return `"${field}" is ${JSON.stringify(held)} where the source has ${JSON.stringify(real)} (${spec.stream})`;
    }
  }
  return undefined;
}

/** The log, replayed from the beginning, gives the replica. */
async function checkLog(world: WorldState, spec: StreamSpec): Promise<void> {
  const { stream, history } = spec;
  const home = calmHome(world);
  const { name } = world.shape.spec;
  if (history === "off") return;
  if ((await home.checkpoint(name, stream, "pending")) !== undefined) return;
  const images = history === "full";
  const known = world.replays.get(stream) ?? { replay: createReplay(images), upTo: 0 };
  world.replays.set(stream, known);
  const filter = { sync: name, stream, afterId: known.upTo, oldestFirst: true };
  for await (const change of home.changes(filter)) {
    known.upTo = change.id;
    const wrong = known.replay.apply(change);
    if (wrong !== undefined) world.violations.push(`change log of ${stream}: ${wrong}`);
  }
  const { rows } = readReplica(world.rows, stream);
  const difference = differingRow(known.replay.rows, rows, images);
  if (difference !== undefined) {
    world.violations.push(`the change log of ${stream} does not give the replica: ${difference}`);
  }
}

function differingRow(
  replayed: ReadonlyMap<RecordKey, NamedValues>,
  rows: ReadonlyMap<RecordKey, NamedValues>,
  images: boolean,
): string | undefined {
  for (const key of new Set([...replayed.keys(), ...rows.keys()])) {
    const logged = replayed.get(key);
    const row = rows.get(key);
    if (logged === undefined) return `${JSON.stringify(key)} is not in the log`;
    if (row === undefined) return `${JSON.stringify(key)} is not in the replica`;
    const difference = images ? differingField(logged, row) : undefined;
    if (difference !== undefined) return `${JSON.stringify(key)}: ${difference}`;
  }
  return undefined;
}

/**
 * The replica is the system's visible truth, field by field; what is bad at the source is listed as
 * parked. With `bySweep`, records that changed without a new time are left to the next full copy.
 */
export async function checkEquality(world: WorldState, bySweep: boolean): Promise<void> {
  const home = calmHome(world);
  const { name } = world.shape.spec;
  for (const spec of world.shape.spec.streams) {
    const { stream } = spec;
    const complain = (text: string): void => {
      world.violations.push(`in the end ${stream} ${text}`);
    };
    const replica = readReplica(world.rows, stream);
    const shown = world.people.shown(stream);
    for (const row of shown) {
      const history = world.people.history(stream, row.id);
      if (!world.people.isGood(stream, row) || history === undefined) continue;
      if (bySweep && history.excused && history.silent) continue;
      const difference = compare(spec, replica, row, history);
      if (difference !== undefined) complain(`${JSON.stringify(row.id)}: ${difference}`);
    }
    const keys = new Set(shown.map((row) => row.id));
    for (const key of replica.rows.keys()) {
      if (!keys.has(key)) complain(`${JSON.stringify(key)} is in the replica only`);
    }
    const missing = missingColumns(world, spec, replica);
    if (missing.length > 0) complain(`has no column for ${missing.join(", ")}`);
    const parked = await home.parked({ sync: name, stream });
    checkParked(world, spec, parked, complain);
  }
}

/** Fields that the replica is to hold and has no column for. */
function missingColumns(world: WorldState, spec: StreamSpec, replica: Replica): readonly string[] {
  const drift = world.drift.get(spec.stream) ?? spec.drift;
  if (spec.select !== undefined || drift === "ignore") return [];
  const { fields } = world.system.schema(spec.stream);
  return fields.map(({ name }) => name).filter((name) => !replica.fields.includes(name));
}

function checkParked(
  world: WorldState,
  spec: StreamSpec,
  parked: Awaited<ReturnType<Home["parked"]>>,
  complain: (text: string) => void,
): void {
  const { people } = world;
  const keys = new Set(parked.map((entry) => entry.key));
  const images = new Set(parked.map((entry) => entry.image));
  const refusesSilently = spec.rules.some((rule) => rule.otherwise === "reject");
  for (const row of people.shown(spec.stream)) {
    const id = JSON.stringify(row.id);
    if (people.isGood(spec.stream, row)) {
      if (keys.has(row.id)) complain(`${id} is good and still parked`);
    } else if (
      row.keyed ? !keys.has(row.id) && !refusesSilently : !images.has(JSON.stringify(row.values))
    ) {
      complain(`${id} is bad and not parked`);
    }
  }
}
