import { priority } from "../../core/policies/choose-side.ts";
import { latestWins } from "../../core/policies/latest-wins.ts";
import { mergeValues } from "../../core/policies/merge-values.ts";
import type { SideMapping } from "../../engine/reconcile/context.ts";
import type { MergeRules, PolicyChain, SharedField, SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";

export const STREAM = "items";
export const SYNC = "world";

/** `origin` is given once to each record that a person makes, and tells its copies. */
export const FIELDS: readonly SharedField[] = [
  { name: "sku", type: { kind: "text" }, compare: {} },
  { name: "origin", type: { kind: "text" }, compare: {} },
  { name: "name", type: { kind: "text" }, compare: {} },
  { name: "price", type: { kind: "decimal" }, compare: {} },
  { name: "status", type: { kind: "text" }, compare: {} },
];
const PRICE = 3;
/** The status of a record that its side marked as deleted instead of deleting it. */
export const MARKED = "gone";

/** One side of a world: what its system is like and what part it takes. */
export interface SideShape {
  readonly name: string;
  readonly schema: StreamSchema;
  readonly role: SideRole;
  readonly mapping: SideMapping;
  readonly observe: "whole" | "changes";
  readonly versions: boolean;
  /** What the system makes of what is written to it. */
  readonly storage: (field: string, value: Value) => Value;
  readonly keysPerRead: number;
  readonly pageSize: number;
}

/** What is fixed for the whole life of a world. */
export interface ReconcileShape {
  readonly sides: readonly SideShape[];
  readonly rules: MergeRules;
  /** No side has the match field for its key, so that records may be renamed. */
  readonly renames: boolean;
  /** A side may give old data for a whole run, so that what people did there seems undone. */
  readonly misleads: boolean;
  readonly leaseMs: number;
}

const NAMES = ["a", "b", "c", "d", "e"];

/** `later` draws what was added since, so that seeds keep the rest of their worlds. */
export function createReconcileShape(random: SeededRandom, later: SeededRandom): ReconcileShape {
  const names = NAMES.slice(0, random.pick([2, 2, 3, 3, 3, 4, 5]));
  const renames = random.chance(0.4);
  const sides = names
    .map((name, index) => createSide(random, name, index < 2, renames))
    .map((side) => withMarks(side, later))
    .map(withDigests);
  return {
    sides,
    renames,
    misleads: random.chance(0.15),
    leaseMs: 60_000,
    rules: {
      fields: FIELDS,
      roles: sides.map(({ role }) => role),
      policies: FIELDS.map(({ name }) => createChain(name === "status" ? later : random, names)),
      deletes: {
        propagate: random.chance(0.85) ? "remove" : "keep",
        editAgainstDelete: random.pick(["edit-wins", "edit-wins", "delete-wins", "review"]),
      },
    },
  };
}

function createChain(random: SeededRandom, names: readonly string[]): PolicyChain {
  const ranking = random.shuffle(names);
  return random.pick<PolicyChain>([
    [],
    [latestWins()],
    [latestWins(ranking)],
    [priority(ranking)],
    [mergeValues, priority(ranking)],
  ]);
}

function createSide(
  random: SeededRandom,
  name: string,
  isPlain: boolean,
  renames: boolean,
): SideShape {
  const assignsKeys = renames || random.chance(0.4);
  const hasTimes = random.chance(0.8);
  const schema = createSchema(random, assignsKeys, hasTimes);
  const loss = random.pick(["none", "none", "rounds", "shouts"] as const);
  return {
    name,
    schema,
    role: isPlain ? plainRole(name) : createRole(random, name),
    mapping: createMapping(schema, assignsKeys ? 1 : 0, random.chance(0.1)),
    observe: hasTimes && random.chance(0.4) ? "changes" : "whole",
    versions: random.chance(0.5),
    storage: (field, value) => {
      if (typeof value !== "string") return value;
      if (loss === "rounds" && field === "price") return Number(value).toFixed(1);
      return loss === "shouts" && field === "name" ? value.toUpperCase() : value;
    },
    keysPerRead: random.pick([1, 3, 50]),
    pageSize: random.pick([2, 5, 100]),
  };
}

/** Some mark what they should delete. */
function withMarks(side: SideShape, later: SeededRandom): SideShape {
  const marks = later.chance(0.2);
  if (!marks || side.role.remove !== "delete") return side;
  const mark = FIELDS.map(({ name }) => (name === "status" ? MARKED : undefined));
  return { ...side, role: { ...side.role, remove: { mark } } };
}

/** Some tell digests; which ones is no draw of its own, so that seeds keep their worlds. */
function withDigests(side: SideShape): SideShape {
  if ((side.keysPerRead + side.pageSize) % 2 === 1) return side;
  const { schema } = side;
  return { ...side, schema: { ...schema, traits: { ...schema.traits, digests: "memory 1" } } };
}

function createSchema(random: SeededRandom, assignsKeys: boolean, hasTimes: boolean): StreamSchema {
  return {
    name: STREAM,
    key: [assignsKeys ? "id" : "sku"],
    fields: [
      ...(assignsKeys ? [{ name: "id", type: { kind: "text" } as const, nullable: false }] : []),
      ...FIELDS.map(({ name, type }) => ({ name, type, nullable: assignsKeys || name !== "sku" })),
      ...(hasTimes
        ? [{ name: "modified", type: { kind: "timestamp" } as const, nullable: true }]
        : []),
    ],
    ...(hasTimes ? { modifiedAt: "modified" } : {}),
    traits: {
      changes: hasTimes,
      deletions: hasTimes,
      sweep: true,
      count: random.chance(0.8),
      write: {
        batch: random.pick([1, 3, 10]),
        expects: random.chance(0.8) ? "atomic" : "checked",
        assignsKeys,
      },
    },
  };
}

function plainRole(side: string): SideRole {
  return {
    side,
    directions: FIELDS.map(() => "both"),
    create: true,
    update: true,
    remove: "delete",
    accepts: () => true,
    whenLeaving: "keep",
  };
}

function createRole(random: SeededRandom, side: string): SideRole {
  const plain = plainRole(side);
  switch (random.weighted({ plain: 4, read: 1, write: 1, mixed: 1, filtered: 3, keeps: 1 })) {
    case "read":
      return {
        ...plain,
        directions: FIELDS.map(() => "read"),
        create: false,
        update: false,
        remove: "never",
      };
    case "write":
      return { ...plain, directions: FIELDS.map(() => "write") };
    case "mixed":
      return { ...plain, directions: ["both", "both", "read", "write", "both"] };
    case "filtered":
      return {
        ...plain,
        accepts: (values) => Math.floor(Number(values[PRICE] ?? 0)) % 3 !== 0,
        whenLeaving: random.pick(["keep", "remove"]),
      };
    case "keeps":
      return { ...plain, remove: "never" };
    case "plain":
      return plain;
  }
}

/** Names are equal on all sides; with `refuses`, prices that end in 7 are not understood. */
function createMapping(schema: StreamSchema, offset: number, refuses: boolean): SideMapping {
  return {
    toShared: (values) => {
      const shared: (Value | undefined)[] = FIELDS.map((_, at) => values[at + offset]);
      const price = shared[PRICE];
      if (!refuses || typeof price !== "string" || !price.endsWith("7")) {
        return { values: shared, problems: [] };
      }
      shared[PRICE] = undefined;
      const message = "The price cannot be understood.";
      return { values: shared, problems: [{ code: "RECORD_UNMAPPABLE", message, field: "price" }] };
    },
    toSide: (shared) => ({
      values: schema.fields.map((_, at): Values[number] => shared[at - offset]),
      problems: [],
    }),
    writtenTo: (shared) => shared + offset,
  };
}
