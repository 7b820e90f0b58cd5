import { createMemoryConnector } from "../../connectors/memory/connector.ts";
import type { MemoryRow, MemorySystem } from "../../connectors/memory/system.ts";
import { joined } from "../../homes/memory/state.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type {
  Connector,
  StreamQuery,
  WriteOperation,
  WriteOutcome,
} from "../../ports/connector.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { Flying } from "./ledger.ts";
import type { Operator } from "./operator.ts";
import { FIELDS, type SideShape, STREAM } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";
import { isMark, judgeWrite, plannedOf } from "./write-checks.ts";

/** What befalls one side during one process. Rates are probabilities per call. */
export interface SideFaults {
  /** Nothing of it can be reached. */
  readonly down: boolean;
  /** Its read of that number fails, the first being 1. */
  readonly failsAt: number;
  /** It gives old data in its read of that number, or in every one. */
  readonly stale: number | "always";
  readonly shuffles: boolean;
  readonly loses: number;
  readonly halves: number;
  readonly refuses: number;
  readonly edits: number;
}

export const NO_SIDE_FAULTS: SideFaults = {
  down: false,
  failsAt: 0,
  stale: 0,
  shuffles: false,
  loses: 0,
  halves: 0,
  refuses: 0,
  edits: 0,
};

export function createSideFaults(random: SeededRandom, misleads: boolean): SideFaults {
  if (random.chance(0.45)) {
    return { ...NO_SIDE_FAULTS, edits: random.pick([0, 0.1, 0.3]), shuffles: random.chance(0.2) };
  }
  return {
    down: random.chance(0.12),
    failsAt: random.chance(0.2) ? random.int(1, 6) : 0,
    stale: random.chance(0.25) ? (misleads && random.chance(0.5) ? "always" : random.int(1, 3)) : 0,
    shuffles: random.chance(0.4),
    loses: random.pick([0, 0, 0.3]),
    halves: random.pick([0, 0, 0.2]),
    refuses: random.pick([0, 0, 0.1]),
    edits: random.pick([0, 0.1, 0.3]),
  };
}

const away = (side: string): SyncError =>
  new SyncError("CONNECTOR_UNREACHABLE", `The side "${side}" cannot be reached.`);

/** A side's system as one process sees it: people edit meanwhile, and all its faults strike. */
export function createSideConnector(
  world: ReconcileWorldState,
  side: SideShape,
  operator: Operator,
  faults: SideFaults,
): Connector {
  const { people, tallies, ledger } = world;
  const { fate } = operator;
  const { random } = fate;
  const system = world.systems.get(side.name) as MemorySystem;
  let reads = 0;
  const connector = createMemoryConnector(system, {
    keysPerRead: side.keysPerRead,
    pageSize: () => side.pageSize,
    async beforePage() {
      if (!random.chance(faults.edits)) return;
      tallies.count("edit during a read");
      people.act(random.chance(0.5) ? side : undefined);
    },
    async beforeWrite(operation) {
      const row = operation.kind === "create" ? undefined : system.row(STREAM, operation.key);
      if (row === undefined || !random.chance(faults.edits)) return;
      tallies.count("edit between check and write");
      people.edit(side, row);
      // A system that cannot write conditionally loses what is edited in this moment.
      excuseLost(world, side, operation);
    },
    faults: {
      read({ kind }) {
        if (faults.down) throw away(side.name);
        if (kind === "head") return undefined;
        reads += 1;
        const order = faults.shuffles ? { order: random.shuffle } : {};
        if (faults.shuffles) tallies.count("rows in another order");
        if (reads === faults.failsAt) {
          tallies.count("side failed while read");
          return { ...order, error: away(side.name), errorAt: random.int(0, 1) };
        }
        const copy = world.copies.get(side.name);
        // A walk that is older than the feed's head would be a feed that forgets.
        if (side.observe === "changes" && (kind === "walk" || kind === "digests")) return order;
        if (copy === undefined || (faults.stale !== "always" && reads !== faults.stale))
          return order;
        tallies.count(faults.stale === "always" ? "stale side" : "stale read");
        if (ledger.misled.get(fate.name) !== "always") {
          ledger.misled.set(fate.name, faults.stale === "always" ? "always" : "once");
        }
        world.trace.add(`${fate.name} is given old data by ${side.name} (${kind})`);
        return { ...order, system: copy };
      },
    },
  });
  return {
    ...connector,
    async *read(request, signal) {
      const what = `${request.kind} of ${side.name}`;
      for await (const page of connector.read(request, signal)) {
        await fate.effect("page", what, async () => undefined);
        yield page;
      }
    },
    write: (query, operations, signal) =>
      fate.effect("rows", `write to ${side.name}`, () => {
        if (faults.down) throw away(side.name);
        return perform(query, operations, signal);
      }),
  };

  async function perform(
    query: StreamQuery,
    operations: readonly WriteOperation[],
    signal: AbortSignal,
  ): Promise<readonly WriteOutcome[]> {
    const isHalf = random.chance(faults.halves);
    const most = isHalf ? random.int(0, operations.length - 1) : operations.length;
    const outcomes: WriteOutcome[] = [];
    for (const operation of operations.slice(0, most)) {
      outcomes.push(await performOne(query, operation, signal));
    }
    if (isHalf) tallies.count("half a batch");
    else if (random.chance(faults.loses)) tallies.count("answer lost");
    else {
      for (const { id } of operations) ledger.answered.set(id, fate.name);
      return outcomes;
    }
    world.trace.add(`${fate.name} loses the answer of ${side.name} after ${most}`);
    throw away(side.name);
  }

  async function performOne(
    query: StreamQuery,
    operation: WriteOperation,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    if (random.chance(faults.refuses)) {
      tallies.count("write refused");
      const problem = { code: "RECORD_REFUSED", message: "The side will not have it." };
      return { kind: "rejected", problem };
    }
    judgeWrite(world, side, operator, operation);
    const marks = isMark(world, side, operation);
    const before =
      operation.kind === "create" ? undefined : system.row(STREAM, operation.key)?.values;
    const flying = valuesInFlight(side, operation);
    const hasOld = hadBefore(operation);
    ledger.sends(flying);
    const [outcome] = (await connector.write?.(query, [filled(side, operation)], signal)) ?? [];
    const over = ledger.lands(flying);
    if (outcome === undefined) throw new Error("The memory connector gave no outcome.");
    world.trace.add(told(fate.name, side, operation, outcome));
    if (outcome.kind === "written") note(operation, outcome, before?.["origin"]);
    // A system that checks first loses what is written between that and its write.
    const isChecked = side.schema.traits.write?.expects === "checked";
    if (outcome.kind === "written" && isChecked) for (const value of over) ledger.excuse(value);
    if (outcome.kind === "written" && marks) {
      tallies.count("marked as deleted");
      ledger.marked(before?.["origin"]);
    }
    // Nothing can tell a record that every answer of the run leaves out from one that is gone. It is
    // made once more, and the run that finds the first one again says so.
    if (outcome.kind === "written" && hasOld && faults.stale === "always") {
      ledger.allowSecond(originOf(operation));
    }
    return outcome;
  }

  function originOf(operation: WriteOperation): Value | undefined {
    if (operation.kind === "delete") return undefined;
    const sent = operation.values[side.schema.fields.findIndex(({ name }) => name === "origin")];
    // While people dispute it, it is not sent.
    const at = FIELDS.findIndex(({ name }) => name === "origin");
    return sent ?? plannedOf(world, operation.id)?.before?.[at];
  }

  /** True for a create of what stands there already. */
  function hadBefore(operation: WriteOperation): boolean {
    const origin = operation.kind === "create" ? originOf(operation) : undefined;
    if (typeof origin !== "string") return false;
    return system.rows(STREAM).some(({ values }) => values["origin"] === origin);
  }

  function note(
    operation: WriteOperation,
    outcome: Extract<WriteOutcome, { readonly kind: "written" }>,
    origin: MemoryRow["values"][string] | undefined,
  ): void {
    const { id, kind } = operation;
    tallies.count("write performed");
    const at = side.schema.fields.findIndex(({ name }) => name === "origin");
    const made = operation.kind === "create" ? { origin: operation.values[at] ?? null } : {};
    ledger.performed({ id, side: side.name, kind, process: fate.name, ...made });
    if (operation.kind === "delete") {
      ledger.removed(side.name, operation.key, origin);
      return;
    }
    const key = operation.kind === "create" ? keyOf(outcome) : operation.key;
    side.schema.fields.forEach(({ name: field }, index) => {
      const value = operation.values[index];
      if (value === undefined) return;
      const place = { side: side.name, key, field };
      ledger.showed(place, value, side.storage(field, value));
      // A person may have written there while the answer was on its way.
      const stands = system.row(STREAM, key)?.values[field] ?? null;
      if (valuesEqual(stands, side.storage(field, value))) {
        ledger.told(place, { id, value, isLate: operator.isZombie() });
      }
      if (field !== "origin" || typeof value !== "string") return;
      ledger.carried.add(value);
      if (origin != null && origin !== value) ledger.adopted.add(joined(side.name, key));
      // Where keys are assigned nothing can tell a zombie's late create from another record.
      const isBlind = operation.kind === "create" && operation.key === undefined;
      if (isBlind && operator.isZombie()) ledger.allowSecond(value);
    });
  }

  function keyOf({ stored }: Extract<WriteOutcome, { readonly kind: "written" }>): RecordKey {
    return stored?.key ?? recordKey(["?"]);
  }
}

function valuesInFlight(side: SideShape, operation: WriteOperation): readonly Flying[] {
  const { name, schema, storage } = side;
  if (operation.kind === "delete") return [];
  return schema.fields.flatMap(({ name: field }, index): Flying[] => {
    const value = operation.values[index];
    if (value === undefined) return [];
    const key = operation.key === undefined ? {} : { key: operation.key };
    return [{ side: name, ...key, field, value, stored: storage(field, value) }];
  });
}

/** What the write is about to replace: a delete takes all, an update the fields that it names. */
function excuseLost(
  { ledger, systems }: ReconcileWorldState,
  { name: side, schema }: SideShape,
  operation: WriteOperation,
): void {
  const row = operation.key && systems.get(side)?.row(STREAM, operation.key);
  schema.fields.forEach(({ name }, index) => {
    if (operation.kind !== "delete" && operation.values[index] === undefined) return;
    ledger.excuse(row?.values[name] ?? null);
  });
}

function told(
  process: string,
  side: SideShape,
  operation: WriteOperation,
  outcome: WriteOutcome,
): string {
  const { kind, id } = operation;
  const key = operation.key ?? (outcome.kind === "written" ? outcome.stored?.key : "");
  const values = kind === "delete" ? {} : valuesOf(side, operation);
  return `${process} ${kind} ${side.name} ${key} ${JSON.stringify(values)} (${id}): ${outcome.kind}`;
}

/** Like a table, the side holds null in the fields that a new record is not given. */
function filled({ schema }: SideShape, operation: WriteOperation): WriteOperation {
  if (operation.kind !== "create") return operation;
  const values = schema.fields.map(({ name, nullable }, index) => {
    const isOwn = !nullable || name === schema.modifiedAt;
    return operation.values[index] ?? (isOwn ? undefined : null);
  });
  return { ...operation, values };
}

function valuesOf(
  side: SideShape,
  operation: Exclude<WriteOperation, { readonly kind: "delete" }>,
): Record<string, unknown> {
  return Object.fromEntries(
    side.schema.fields.flatMap(({ name }, index) => {
      const value = operation.values[index];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
