import { describeType, fitValue, showCanonical } from "../../model/fit-value.ts";
import type { SharedField } from "../../model/reconcile.ts";
import type { Problem, Values } from "../../model/record.ts";
import type { Field } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { sameValue } from "../same-value.ts";
import type { FieldMapping, SideMapping } from "./field-mapping.ts";
import { type Stepped, stepToShared, stepToSide } from "./mapping-steps.ts";

/** Mapped values, and the fields that could not be mapped; those are absent. */
export interface Mapped {
  readonly values: Values;
  readonly problems: readonly Problem[];
}

export interface CompiledMapping {
  /** The side's record as the shared record, in the order of the shared fields. */
  readonly toShared: (values: Values) => Mapped;
  /**
   * Shared values as the side's, in the order of its fields. Only fields that may be written here;
   * a new record also gets its constants and defaults.
   */
  readonly toSide: (shared: Values, kind: "create" | "update") => Mapped;
  /** Position of the side's field that a shared field is written to, by its position. */
  readonly writtenTo: (shared: number) => number | undefined;
}

/**
 * Compiles a mapping that `checkMapping` found nothing wrong with; unknown names are passed over.
 * A value that cannot be mapped is a problem of that field, never an exception.
 */
export function compileMapping(
  mapping: SideMapping,
  sideFields: readonly Field[],
  sharedFields: readonly SharedField[],
): CompiledMapping {
  const sideIndex = new Map(sideFields.map(({ name }, index) => [name, index]));
  const readers = sharedFields.map((shared) => {
    const found = mapping.fields.find((each) => each.shared === shared.name && isRead(each));
    return found === undefined ? undefined : reader(found, shared, sideFields, sideIndex);
  });
  const writers = mapping.fields.flatMap((each) => writerOf(each, sideFields, sharedFields));
  const constants = mapping.onCreate.flatMap(({ field, value }) => {
    const index = sideIndex.get(field);
    return index === undefined ? [] : [{ index, value }];
  });
  return {
    toShared: (values) => {
      const problems: Problem[] = [];
      return { values: readers.map((read) => read?.(values, problems)), problems };
    },
    toSide: (shared, kind) => {
      const isCreate = kind === "create";
      const problems: Problem[] = [];
      const values = new Array<Value | undefined>(sideFields.length).fill(undefined);
      if (isCreate) for (const { index, value } of constants) values[index] = value;
      for (const { write } of writers) write(shared, isCreate, values, problems);
      return { values, problems };
    },
    writtenTo: (shared) => writers.find((each) => each.from === shared)?.to,
  };
}

type Reader = (values: Values, problems: Problem[]) => Value | undefined;

function reader(
  mapping: FieldMapping,
  shared: SharedField,
  sideFields: readonly Field[],
  sideIndex: ReadonlyMap<string, number>,
): Reader {
  const { from } = mapping;
  const finish = (value: Value, label: string, problems: Problem[]): Value | undefined =>
    fit(read(mapping, value), shared.type, { label, given: value, problems });
  switch (from.kind) {
    case "constant":
      return (_, problems) => finish(from.value, shared.name, problems);
    case "computed":
      return (values, problems) => {
        try {
          return finish(from.expression.evaluate(named(sideFields, values)), shared.name, problems);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          const message = `Field "${shared.name}" cannot be computed: ${reason}.`;
          problems.push({ code: "RECORD_UNMAPPABLE", message, field: shared.name });
          return undefined;
        }
      };
    case "field": {
      const index = sideIndex.get(from.name) ?? -1;
      return (values, problems) => {
        const value = values[index];
        return value === undefined ? undefined : finish(value, from.name, problems);
      };
    }
  }
}

function read({ steps }: FieldMapping, value: Value): Stepped {
  let stepped: Stepped = { kind: "value", value };
  for (const step of steps) {
    if (stepped.kind === "value") stepped = stepToShared(step, stepped.value);
  }
  return stepped;
}

/** Writes the shared field at `from` to the side's field at `to`. */
interface Writer {
  readonly from: number;
  readonly to: number;
  readonly write: (
    shared: Values,
    isCreate: boolean,
    into: (Value | undefined)[],
    problems: Problem[],
  ) => void;
}

function writerOf(
  mapping: FieldMapping,
  sideFields: readonly Field[],
  sharedFields: readonly SharedField[],
): readonly Writer[] {
  const { from, steps, onCreate } = mapping;
  if (mapping.direction === "read" || from.kind !== "field") return [];
  const sharedIndex = sharedFields.findIndex(({ name }) => name === mapping.shared);
  const target = sharedFields[sharedIndex];
  const sideIndex = sideFields.findIndex(({ name }) => name === from.name);
  const type = sideFields[sideIndex]?.type;
  if (target === undefined || type === undefined) return [];
  const write: Writer["write"] = (shared, isCreate, into, problems) => {
    const value = shared[sharedIndex];
    if (isCreate && onCreate !== undefined && (value === undefined || value === null)) {
      into[sideIndex] = onCreate;
      return;
    }
    if (value === undefined) return;
    let stepped: Stepped = { kind: "value", value };
    for (const step of steps.toReversed()) {
      if (stepped.kind === "value") stepped = stepToSide(step, stepped.value);
    }
    const place = { label: from.name, given: value, problems };
    const written = fit(stepped, type, place);
    if (written === undefined) return;
    if (mapping.direction !== "both" || comesBack(mapping, target, written, value)) {
      into[sideIndex] = written;
      return;
    }
    refuse(place, `it would come back from ${describeType(type)} as something else`);
  };
  return [{ from: sharedIndex, to: sideIndex, write }];
}

interface Place {
  readonly label: string;
  readonly given: Value;
  readonly problems: Problem[];
}

function fit(stepped: Stepped, type: ValueType, place: Place): Value | undefined {
  const value = stepped.kind === "value" ? fitValue(type, stepped.value) : undefined;
  if (value !== undefined) return value;
  refuse(place, stepped.kind === "misfit" ? stepped.reason : `expected ${describeType(type)}`);
  return undefined;
}

function refuse({ label, given, problems }: Place, why: string): void {
  const message = `Field "${label}" holds ${showCanonical(given)}, which cannot be mapped: ${why}.`;
  problems.push({ code: "RECORD_UNMAPPABLE", message, field: label });
}

/** True when what is written here will be read as the shared value that it was made of. */
function comesBack(
  mapping: FieldMapping,
  shared: SharedField,
  written: Value,
  value: Value,
): boolean {
  const stepped = read(mapping, written);
  const back = stepped.kind === "value" ? fitValue(shared.type, stepped.value) : undefined;
  return back !== undefined && sameValue(shared, back, value);
}

function isRead({ direction }: FieldMapping): boolean {
  return direction !== "write";
}

function named(fields: readonly Field[], values: Values): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    fields.flatMap(({ name }, index) => {
      const value = values[index];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
