import type { MemoryRow, MemorySystem, NamedValues } from "../../connectors/memory/system.ts";
import type { Value } from "../../model/value.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { Trace } from "../simulation/trace.ts";
import type { ReconcileTallies } from "./happenings.ts";
import { copiesOf, type Ledger } from "./ledger.ts";
import { MARKED, type ReconcileShape, type SideShape, STREAM } from "./shape.ts";

/** The people who work at the sides, and know nothing of the sync. */
export interface People {
  /** Somebody does something somewhere, or on that side. */
  act(side?: SideShape): void;
  /** Somebody changes one field of that very record. */
  edit(side: SideShape, row: MemoryRow): void;
  /** Somebody writes that value. */
  set(side: SideShape, row: MemoryRow, field: string, value: Value): void;
  remove(side: SideShape, row: MemoryRow): void;
  /** A value that nobody wrote before. */
  newName(): string;
}

export interface PeopleOptions {
  readonly shape: ReconcileShape;
  readonly systems: ReadonlyMap<string, MemorySystem>;
  readonly ledger: Ledger;
  readonly random: SeededRandom;
  readonly tallies: ReconcileTallies;
  readonly trace: Trace;
}

const ACTS = {
  create: 5,
  edit: 8,
  clear: 1,
  remove: 2,
  restore: 0.5,
  rename: 1,
  blank: 0.4,
  second: 0.4,
  name: 0.5,
} as const;
const SKUS = 9;

export function createPeople(options: PeopleOptions): People {
  const { shape, random, tallies } = options;
  const bin: { readonly side: SideShape; readonly values: NamedValues }[] = [];
  let tokens = 0;
  const hands = createHands(options);
  const newName = (): string => `n${++tokens}`;
  const newPrice = (): string => `${++tokens}.${random.int(10, 99)}`;
  const newSku = (): string => `s${random.int(1, SKUS)}`;
  const fresh = (field: string): Value => (field === "price" ? newPrice() : newName());

  const create = (side: SideShape, sku: Value): void => {
    const { rows } = hands.of(side);
    if (!assigns(side) && (sku === null || rows.some((row) => row.values["sku"] === sku))) return;
    if (sku !== null && rows.some((row) => row.values["sku"] === sku)) {
      tallies.count("second record of a name");
    }
    tallies.count(sku === null ? "blank match field" : "create");
    const price = random.chance(0.9) ? newPrice() : null;
    hands.put(side, { sku, origin: `o${++tokens}`, name: newName(), price, status: null });
  };
  const edit = (side: SideShape, row: MemoryRow): void => {
    const field = random.pick(["name", "price"]);
    if (row.values["status"] === MARKED && field === "price") {
      tallies.count("mark lifted");
      hands.set(side, row, "status", null);
      return;
    }
    tallies.count("edit");
    hands.set(side, row, field, fresh(field));
  };

  return {
    newName,
    edit,
    set: hands.set,
    remove: hands.remove,
    act(at) {
      const side = at ?? random.pick(shape.sides);
      const { rows } = hands.of(side);
      const row = rows.length === 0 ? undefined : random.pick(rows);
      const act = random.weighted(ACTS);
      if (act === "create" || row === undefined) return create(side, newSku());
      switch (act) {
        case "edit":
          return edit(side, row);
        case "clear":
          tallies.count("clear");
          return hands.set(side, row, random.pick(["name", "price"]), null);
        case "remove":
          bin.push({ side, values: row.values });
          tallies.count("delete");
          return hands.remove(side, row);
        case "restore": {
          const thrown = bin.pop();
          if (thrown === undefined) return;
          const { id: _id, modified: _modified, ...values } = thrown.values;
          const there = hands.of(thrown.side).rows;
          if (there.some((other) => other.values["sku"] === values["sku"])) return;
          tallies.count("restore");
          return hands.put(thrown.side, values, true);
        }
        case "rename":
          return rename(side, row);
        case "blank":
          return assigns(side) ? create(side, null) : undefined;
        case "second":
          return assigns(side) ? create(side, row.values["sku"] ?? null) : undefined;
        case "name": {
          const nameless = rows.find(({ values }) => values["sku"] === null);
          if (nameless !== undefined) hands.set(side, nameless, "sku", newSku());
        }
      }
    },
  };

  function rename(side: SideShape, row: MemoryRow): void {
    const sku = newSku();
    if (shape.renames) {
      tallies.count("rename");
      hands.set(side, row, "sku", sku);
      return;
    }
    if (assigns(side) || hands.of(side).rows.some(({ values }) => values["sku"] === sku)) return;
    // Where the name is the key, a renamed record is another record.
    tallies.count("rename");
    hands.remove(side, row);
    const values = { name: newName(), price: newPrice(), status: null };
    hands.put(side, { sku, origin: `o${++tokens}`, ...values });
  }
}

const assigns = ({ schema }: SideShape): boolean => schema.traits.write?.assignsKeys === true;

/** What people do to the systems, noted in the ledger. */
function createHands({ shape, systems, ledger, trace }: PeopleOptions): {
  of(side: SideShape): { readonly system: MemorySystem; readonly rows: readonly MemoryRow[] };
  /** `isOld`: the values are not new, and need not be followed once more. */
  put(side: SideShape, values: NamedValues, isOld?: boolean): void;
  set(side: SideShape, row: MemoryRow, field: string, value: Value): void;
  remove(side: SideShape, row: MemoryRow): void;
} {
  const of = (side: SideShape) => {
    const system = systems.get(side.name) as MemorySystem;
    return { system, rows: system.rows(STREAM) };
  };
  return {
    of,
    put(side, values, isOld = false) {
      const { system, rows } = of(side);
      const own = assigns(side) ? { id: system.newKey(STREAM), ...values } : values;
      const origin = values["origin"];
      // Somebody brings back what was also brought back, or never went, elsewhere. Where it stands
      // elsewhere a run may be making it here in this moment, and the system gives each its key.
      const isRace = assigns(side) && copiesOf(systems, String(origin)).length > 0;
      if ((shape.renames || isRace) && typeof origin === "string" && ledger.made.has(origin)) {
        ledger.allowSecond(origin);
      }
      if (rows.some((row) => row.values["origin"] === origin)) ledger.allowSecond(origin);
      const key = system.put(STREAM, own);
      trace.add(`people put ${side.name} ${key} ${JSON.stringify(values)}`);
      for (const field of ["origin", "name", "price"]) {
        const place = { side: side.name, key, field };
        ledger[isOld ? "showed" : "wrote"](place, values[field] ?? null);
      }
    },
    set(side, row, field, value) {
      const place = { side: side.name, key: row.id, field };
      if (field === "sku") ledger.renamed.add(row.values["origin"] ?? null);
      trace.add(`people set ${side.name} ${row.id} ${field} = ${JSON.stringify(value)}`);
      const { system } = of(side);
      ledger.replaces(place, system.row(STREAM, row.id)?.values[field]);
      system.edit(STREAM, row.id, { [field]: value });
      if (field !== "sku") ledger.wrote(place, value);
    },
    remove(side, row) {
      trace.add(`people delete ${side.name} ${row.id} ${JSON.stringify(row.values)}`);
      const { system } = of(side);
      for (const field of ["origin", "name", "price"]) {
        const seen = system.row(STREAM, row.id)?.values[field];
        ledger.replaces({ side: side.name, key: row.id, field }, seen);
      }
      system.remove(STREAM, row.id);
      ledger.removed(side.name, row.id, row.values["origin"]);
    },
  };
}
