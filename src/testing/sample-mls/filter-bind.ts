import type { Literal } from "./filter-lexer.ts";
import type { Geography, Operand } from "./filter-parser.ts";
import { milesBetween } from "./geo.ts";
import type { EnumDefinition, GeoPoint, PropertyDefinition } from "./model.ts";
import { findProperty } from "./model.ts";
import type { SampleBehavior } from "./options.ts";
import { badRequest } from "./request-error.ts";
import type { Table } from "./table.ts";
import { parseTimestamp } from "./timestamps.ts";

/** What a filter is checked and compiled against. */
export interface FilterContext {
  readonly table: Table;
  readonly enums: ReadonlyMap<string, EnumDefinition>;
  readonly behavior: SampleBehavior;
  /** The clock's instant for `now()`, in microseconds. */
  readonly now: number;
}

/** A value in a comparison; timestamps are microseconds. */
export type Comparable = string | number | boolean | null;

/** One side of a comparison: what kind of values it has, and how to get that of a row. */
export interface Side {
  readonly domain: string;
  readonly read: (slot: number) => Comparable;
}

/** Checks one side of a comparison; `other` is the opposite side, which types a bare string. */
export function bind(operand: Operand, context: FilterContext, other?: Operand): Side {
  if (operand.kind === "now") {
    return constant("timestamp", context.now);
  }
  if (operand.kind === "distance") {
    return bindDistance(operand.name, operand.to, context);
  }
  return operand.kind === "property"
    ? bindProperty(requireProperty(operand.name, context), context)
    : bindLiteral(operand.literal, context, other);
}

function requireProperty(name: string, context: FilterContext): PropertyDefinition {
  const property = findProperty(context.table.entity, name);
  if (property === undefined) {
    throw badRequest(`Unknown property '${name}'`);
  }
  return property;
}

function bindProperty(property: PropertyDefinition, context: FilterContext): Side {
  const { table } = context;
  const read = table.reader(property.name) as (slot: number) => Comparable;
  const side = (domain: string, reader = read): Side => ({
    domain,
    read: reader,
  });
  switch (property.type) {
    case "Int32":
    case "Int64":
    case "Decimal":
      return side("number");
    case "Boolean":
      return side("boolean");
    case "Date":
      return side("date");
    case "DateTimeOffset":
      return property.name === table.entity.timestamp
        ? side("timestamp", (slot) => table.time(slot))
        : side("timestamp", (slot) => toMicros(read(slot)));
    case "Enum":
      return side(enumDomain(context.enums.get(property.enumName ?? "")));
    case "GeographyPoint":
      return side("geo");
    default:
      return side("string");
  }
}

/** The reference system that `$metadata` declares for every place. */
const SRID = "3956";

/** Miles; as in OData, a distance to no place is null, which no comparison holds for. */
function bindDistance(name: string, { srid, point }: Geography, context: FilterContext): Side {
  const property = requireProperty(name, context);
  if (property.type !== "GeographyPoint") {
    throw badRequest(`geo.distance takes a place, and '${name}' is none`);
  }
  if (srid !== SRID) {
    throw badRequest(`SRID ${srid} is not supported: '${name}' has ${SRID}`);
  }
  const read = context.table.reader(name);
  return {
    domain: "number",
    read: (slot) => {
      const place = read(slot) as GeoPoint | null;
      return place === null ? null : milesBetween(place, point);
    },
  };
}

function toMicros(value: Comparable): number | null {
  return value === null ? null : (parseTimestamp(String(value)) ?? null);
}

function bindLiteral(literal: Literal, context: FilterContext, other?: Operand): Side {
  switch (literal.kind) {
    case "null":
      return constant("null", null);
    case "boolean":
      return constant("boolean", literal.value);
    case "timestamp":
      return constant("timestamp", literal.micros);
    case "geography":
      throw badRequest("A geography point can only be measured by geo.distance");
    case "enum":
      return bindEnum(literal.enumName, literal.members, context);
    case "string": {
      const enumName = context.behavior.bareStringEnum ? enumOf(other, context) : undefined;
      return enumName === undefined
        ? constant("string", literal.text)
        : bindEnum(enumName, literal.text.split(","), context);
    }
    default:
      return constant(literal.kind, literal.text);
  }
}

function enumOf(operand: Operand | undefined, context: FilterContext): string | undefined {
  return operand?.kind === "property"
    ? findProperty(context.table.entity, operand.name)?.enumName
    : undefined;
}

function bindEnum(enumName: string, names: readonly string[], context: FilterContext): Side {
  const definition = context.enums.get(enumName);
  const isKnown = names.every((name) => definition?.members.some((each) => each.name === name));
  if (definition === undefined || !isKnown) {
    throw badRequest(`Unknown enum value Odata.Models.${enumName}'${names.join(",")}'`);
  }
  return constant(enumDomain(definition), names.join(","));
}

function enumDomain(definition: EnumDefinition | undefined): string {
  return `${definition?.isFlags === true ? "flags" : "enum"} ${definition?.name}`;
}

function constant(domain: string, value: Comparable): Side {
  return { domain, read: () => value };
}
