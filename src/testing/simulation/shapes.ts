import type { NamedValues } from "../../connectors/memory/system.ts";
import type { ReplicateSpec, StreamSpec, ValidationRule } from "../../model/replicate.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Everything about a world that is settled before anything happens in it. */
export interface WorldShape {
  readonly streams: readonly StreamSchema[];
  readonly spec: ReplicateSpec;
  /** Rows and home are one database, written in one transaction. */
  readonly shared: boolean;
  /** A run can tell that the process which held the lease is dead, and need not wait for it. */
  readonly seesDead: boolean;
  readonly pageSizeMax: number;
  readonly keysPerRead: number;
  /** How far the source's clock is from ours, milliseconds. */
  readonly sourceOffsetMs: number;
}

const STATUSES = ["Active", "Pending", "Closed", "Withdrawn"] as const;
/** A status that the validation rule of some worlds refuses. */
const ODD_STATUS = "Odd";

export function createShape(random: SeededRandom): WorldShape {
  const names = random.shuffle(Object.keys(MAKERS) as StreamKind[]).slice(0, random.int(1, 3));
  const streams = names.map((name) => createSchema(random, name));
  return {
    streams,
    spec: {
      name: "mls",
      streams: streams.map((schema) => createStreamSpec(random, schema)),
      guard: {
        deleteShare: 0.4,
        deleteCount: random.pick([6, 1000]),
        deleteFloor: random.int(2, 4),
        countTolerance: random.pick([0, 0.01]),
        parkedCount: random.pick([2, 1000]),
      },
      concurrency: random.int(1, 3),
      leaseMs: 60_000,
    },
    shared: random.chance(0.5),
    seesDead: random.chance(0.5),
    pageSizeMax: random.int(1, 7),
    keysPerRead: random.int(1, 8),
    sourceOffsetMs: random.int(-3_600_000, 3_600_000),
  };
}

type StreamKind = keyof typeof MAKERS;

const text = (name: string, nullable: boolean): Field => ({
  name,
  type: { kind: "text" },
  nullable,
});
const STATUS = text("Status", false);
const NOTE = text("Note", true);
const PRICE: Field = {
  name: "Price",
  type: { kind: "decimal", precision: 14, scale: 2 },
  nullable: true,
};
const FEATURES: Field = {
  name: "Features",
  type: { kind: "list", of: { kind: "text" }, ordered: false },
  nullable: true,
};
const MODIFIED: Field = { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: false };

interface Maker {
  readonly keyFields: readonly Field[];
  readonly timed: boolean;
  readonly key: (random: SeededRandom) => NamedValues;
}

/** Kinds of streams by their keys. Keys are few, so that deleted ones come again. */
const MAKERS = {
  Listing: {
    keyFields: [{ name: "Id", type: { kind: "integer", bits: 64 }, nullable: false }],
    timed: true,
    key: (random) => ({ Id: String(9_007_199_254_740_990n + BigInt(random.int(0, 60))) }),
  },
  Member: {
    keyFields: [text("Code", false)],
    timed: true,
    key: (random) => ({ Code: `${random.pick(["a", "B", "é", "'", "家"])}${random.int(0, 11)}` }),
  },
  Office: {
    keyFields: [{ name: "Id", type: { kind: "integer", bits: 32 }, nullable: false }],
    timed: true,
    key: (random) => ({ Id: random.int(-20, 30) }),
  },
  Unit: {
    keyFields: [
      { name: "Id", type: { kind: "integer", bits: 32 }, nullable: false },
      text("Name", false),
    ],
    timed: false,
    key: (random) => ({ Id: random.int(0, 6), Name: `n${random.int(0, 6)}` }),
  },
} as const satisfies Record<string, Maker>;

function createSchema(random: SeededRandom, name: StreamKind): StreamSchema {
  const maker: Maker = MAKERS[name];
  const timed = maker.timed;
  return {
    name,
    key: maker.keyFields.map((field) => field.name),
    fields: [...maker.keyFields, STATUS, PRICE, FEATURES, NOTE, ...(timed ? [MODIFIED] : [])],
    ...(timed ? { modifiedAt: MODIFIED.name } : {}),
    traits: {
      changes: timed,
      deletions: random.chance(0.7),
      sweep: random.chance(0.8),
      count: random.chance(0.6),
      ...(timed && random.chance(0.25) ? { events: true } : {}),
    },
  };
}

const RULE: ValidationRule = {
  field: STATUS.name,
  check: { kind: "oneOf", values: STATUSES },
  otherwise: "park",
};

function createStreamSpec(random: SeededRandom, schema: StreamSchema): StreamSpec {
  const overlapMs = random.pick([2_000, 60_000, 1_200_000]);
  return {
    stream: schema.name,
    table: schema.name,
    naming: random.pick(["source", "snake_case"] as const),
    ...(random.chance(0.15) ? { select: [STATUS.name, PRICE.name] } : {}),
    ...(random.chance(0.15) ? { filter: JSON.stringify({ [STATUS.name]: "Active" }) } : {}),
    deletes: random.pick(["remove", "mark"] as const),
    drift: random.pick(["evolve", "ignore", "halt"] as const),
    overlapMs,
    overlapMaxMs: 3_600_000,
    refreshMs: 86_400_000,
    history: random.weighted({ full: 6, changes: 1, off: 1 }),
    monitor: { status: [STATUS.name], price: [PRICE.name], transitions: [] },
    partitions: random.pick([1, 1, 1, 2, 3, 5]),
    rules: random.chance(0.2)
      ? [{ ...RULE, otherwise: random.pick(["park", "reject"] as const) }]
      : [],
  };
}

/** Key fields of a new record; it may be a key that was in use before. */
export function createKeyValues(random: SeededRandom, stream: string): NamedValues {
  return MAKERS[stream as StreamKind].key(random);
}

/** The names of the fields that people edit. */
export function editableFields(schema: StreamSchema): readonly Field[] {
  return schema.fields.filter(
    (field) => !schema.key.includes(field.name) && field.name !== schema.modifiedAt,
  );
}

export function createValue(random: SeededRandom, field: Field): Value {
  if (field.nullable && random.chance(0.2)) return null;
  if (field.name === STATUS.name) {
    return random.chance(0.06) ? ODD_STATUS : random.pick(STATUSES);
  }
  switch (field.type.kind) {
    case "decimal":
      return String(random.int(1, 4) * 50_000 + 0.5);
    case "list":
      return ["Deck", "Pool", "View"].filter(() => random.chance(0.5));
    default:
      return random.pick(["", "a note", "naïve 家", "0", String(random.int(0, 99))]);
  }
}
