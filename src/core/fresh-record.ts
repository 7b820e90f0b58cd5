import type { Values } from "../model/record.ts";
import type { Field, StreamSchema } from "../model/schema.ts";
import type { Value, ValueType } from "../model/value.ts";

export type NamedRecord = Readonly<Record<string, Value>>;

/**
 * The least that a new record of the stream must have: a key that is nobody's, and a value in each
 * field that may not be empty, taken from a record that is there. `mark` makes the key unique and
 * tells people whose record it is; `chance` is in [0, 1). Undefined where no key can be made up.
 */
export function freshRecord(
  schema: StreamSchema,
  template: Values | undefined,
  mark: string,
  chance: number,
): NamedRecord | undefined {
  const assignsKeys = schema.traits.write?.assignsKeys === true;
  const varied = assignsKeys ? undefined : variedField(schema);
  if (!assignsKeys && varied === undefined) return undefined;
  const writable = schema.traits.write?.fields;
  const values = schema.fields.flatMap((field, index): readonly (readonly [string, Value])[] => {
    const { name, type, nullable } = field;
    if (field === varied) return [[name, freshKey(type, mark, chance)]];
    const isKey = schema.key.includes(name);
    if (isKey ? assignsKeys : nullable || writable?.includes(name) === false) return [];
    return [[name, template?.[index] ?? plainValue(type)]];
  });
  return Object.fromEntries(values);
}

/** The part of the key in which a new record differs: the last of those that can be made up. */
function variedField({ fields, key }: StreamSchema): Field | undefined {
  return fields.findLast(
    ({ name, type }) => key.includes(name) && ["text", "integer", "decimal"].includes(type.kind),
  );
}

const FRESH_BELOW: Readonly<Record<16 | 32 | 64, readonly [number, number]>> = {
  16: [30_000, 2_767],
  32: [2_000_000_000, 147_000_000],
  64: [8_000_000_000_000_000, 1_000_000_000_000_000],
};

function freshKey(type: ValueType, mark: string, chance: number): Value {
  if (type.kind === "integer") {
    const [from, width] = FRESH_BELOW[type.bits];
    const number = from + Math.floor(chance * width);
    return type.bits === 64 ? String(number) : number;
  }
  if (type.kind === "decimal") {
    const { precision = 9, scale = 0 } = type;
    const digits = Math.max(1, Math.min(9, precision - scale));
    return String(10 ** digits - 1 - Math.floor(chance * 10 ** (digits - 1)));
  }
  const most = type.kind === "text" ? (type.maxLength ?? mark.length) : mark.length;
  return mark.slice(-most);
}

/** A value that any field of the type takes. */
function plainValue(type: ValueType): Value {
  switch (type.kind) {
    case "text":
      return "";
    case "integer":
      return type.bits === 64 ? "0" : 0;
    case "decimal":
      return "0";
    case "double":
      return 0;
    case "boolean":
      return false;
    case "date":
      return "2000-01-01";
    case "timestamp":
      return "2000-01-01T00:00:00Z";
    case "time":
      return "00:00:00";
    case "binary":
      return "";
    case "json":
      return "null";
    case "list":
      return [];
  }
}

/** For people and for `CERTIFICATE_LEFT`: whose record it is. */
export const CERTIFICATE_MARK = "lockstep-certificate";
