import type { MemoryRow, MemorySystem } from "../../connectors/memory/system.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import type { Field } from "../../model/schema.ts";
import { createRecordEdits, EDITS } from "./record-edits.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Happening, Tallies } from "./tallies.ts";
import type { Trace } from "./trace.ts";
import { createTruth, type Truth } from "./truth.ts";

/** People who edit the system, at random, and a true account of what they did. */
export interface People extends Truth {
  /** One random edit of the stream. */
  edit(stream: string): void;
  create(stream: string): void;
  /** Deletes so many of the shown records. */
  removeMany(stream: string, count: number): void;
  hideAll(stream: string): void;
  unhideAll(stream: string): void;
  addField(stream: string): void;
  /** Mends every record that breaks its schema, and takes away those without a key. */
  healAll(stream: string): void;
}

export interface PeopleOptions {
  readonly system: MemorySystem;
  readonly specs: readonly StreamSpec[];
  readonly random: SeededRandom;
  readonly now: () => number;
  readonly tallies: Tallies;
  readonly trace: Trace;
}

export function createPeople(options: PeopleOptions): People {
  const { system, random, now, tallies, trace } = options;
  const truth = createTruth(system, options.specs);
  const tell = (kind: Happening, stream: string, key: RecordKey): void => {
    tallies.count(kind);
    const row = system.row(stream, key);
    trace.add(`  people: ${kind} ${stream} ${JSON.stringify(key)} ${row?.time ?? ""}`);
  };
  const edits = createRecordEdits({ system, truth, random, now, tell });
  const perform = (kind: keyof typeof EDITS, stream: string): void => {
    const key = edits.perform(kind, stream);
    if (key !== undefined) tell(kind, stream, key);
  };
  const keyedShown = (stream: string): readonly MemoryRow[] =>
    truth.shown(stream).filter((row) => row.keyed);

  return {
    ...truth,
    edit(stream) {
      perform(random.weighted(EDITS), stream);
    },
    create(stream) {
      perform("create", stream);
    },
    removeMany(stream, count) {
      const rows = random.shuffle(keyedShown(stream)).slice(0, count);
      for (const row of rows) edits.remove(stream, row);
      tallies.count("mass deletion");
      trace.add(`  people: delete ${rows.length} of ${stream}`);
    },
    hideAll(stream) {
      for (const row of truth.shown(stream)) {
        system.hide(stream, row.id);
        truth.book(stream, row.id);
      }
      tallies.count("source empty");
      trace.add(`  people: hide all of ${stream}`);
    },
    unhideAll(stream) {
      for (const row of system.rows(stream)) {
        if (!row.hidden) continue;
        system.unhide(stream, row.id);
        truth.book(stream, row.id, { excused: true });
      }
      trace.add(`  people: unhide all of ${stream}`);
    },
    addField(stream) {
      const { fields } = system.schema(stream);
      const field: Field = {
        name: `Extra${fields.length}`,
        type: { kind: "text" },
        nullable: true,
      };
      system.addField(stream, field);
      tallies.count("field added");
      trace.add(`  people: add field ${field.name} to ${stream}`);
    },
    healAll(stream) {
      for (const row of system.rows(stream)) {
        if (truth.isGood(stream, row)) continue;
        if (row.keyed) edits.heal(stream, row.id);
        else edits.remove(stream, row);
      }
      trace.add(`  people: heal all of ${stream}`);
    },
  };
}
