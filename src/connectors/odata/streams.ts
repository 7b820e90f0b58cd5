import type { DecoderOptions } from "../../model/coerce.ts";
import type { ZoneRule } from "../../model/coerce-scalar.ts";
import { createLookup, type Lookup, type LookupMember } from "../../model/lookup.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { isTimeZone } from "../../model/timestamp-zone.ts";
import type { ScalarType, ValueType } from "../../model/value.ts";
import type { EventModel } from "./event-model.ts";
import type { EntitySet, EnumType, Property, ServiceModel } from "./metadata-model.ts";
import type { FieldRef, LiteralType } from "./query.ts";
import type { OdataSettings, StreamSettings } from "./settings.ts";

/** By the lookup's name: values as they may stand in records, with their readable forms. */
export type ReadableLookups = ReadonlyMap<string, readonly LookupMember[]>;

/** A stream with all that its reads need to know. */
export interface StreamModel {
  readonly schema: StreamSchema;
  readonly decoding: DecoderOptions;
  readonly keys: readonly FieldRef[];
  /** The field of `schema.modifiedAt`. */
  readonly time?: FieldRef;
  /** That field is another than the stream's own. */
  readonly isRetimed?: boolean;
  /** True for each key field whose values the client can order as the server does. */
  readonly hasNumericKey: boolean;
  /** Present where changes are read by the server's events. */
  readonly events?: EventModel;
  /** Name of the stream that a navigation property leads to, where the service has one. */
  readonly related: ReadonlyMap<string, string | undefined>;
}

/**
 * The streams of a service: one per entity set. Throws FIELD_UNKNOWN for a configured key, time or
 * zone that a stream does not have, STREAM_UNKNOWN for configured settings of no stream, and
 * CONFIG_INVALID for an unknown time zone.
 */
export function streamsOf(
  service: ServiceModel,
  settings: OdataSettings,
  readable: ReadableLookups = new Map(),
): ReadonlyMap<string, StreamModel> {
  const models = new Map<string, StreamModel>();
  for (const set of service.sets) {
    models.set(set.name, streamOf(set, service, settings, readable));
  }
  for (const name of settings.requiredStreams) requireStream(models, name);
  return models;
}

/** The stream of that name; throws STREAM_UNKNOWN with what is near. */
export function requireStream(models: ReadonlyMap<string, StreamModel>, name: string): StreamModel {
  const model = models.get(name);
  if (model !== undefined) return model;
  const near = nearMatches(name, models.keys());
  const meant = near.length === 0 ? [...models.keys()].join(", ") : near.join(", ");
  throw new SyncError("STREAM_UNKNOWN", `The service has no stream "${name}"; it has ${meant}.`, {
    context: { stream: name },
  });
}

/** Throws FIELD_UNKNOWN, naming what is near, unless the stream has all these fields. */
export function requireFields(schema: StreamSchema, names: Iterable<string>, what: string): void {
  const known = new Set(schema.fields.map((field) => field.name));
  const { name: stream } = schema;
  requireKnown(
    names,
    known,
    (name) => `Stream "${stream}" has no field "${name}", which ${what} names`,
    stream,
  );
}

/** Throws FIELD_UNKNOWN with the sentence that `complain` begins for a name that is not known. */
export function requireKnown(
  names: Iterable<string>,
  known: ReadonlySet<string>,
  complain: (name: string) => string,
  stream: string,
): void {
  for (const name of names) {
    if (known.has(name)) continue;
    const near = nearMatches(name, known).map((each) => `"${each}"`);
    const meant = near.length === 0 ? "" : `; near it: ${near.join(", ")}`;
    throw new SyncError("FIELD_UNKNOWN", `${complain(name)}${meant}.`, { context: { stream } });
  }
}

function streamOf(
  set: EntitySet,
  service: ServiceModel,
  settings: OdataSettings,
  readable: ReadableLookups,
): StreamModel {
  const configured: StreamSettings = settings.streams[set.name] ?? {};
  const own = new Map(set.type.properties.map((property) => [property.name, property]));
  const key = configured.key ?? set.type.key;
  const modifiedAt = timeFieldOf(configured, settings, own);
  const { fields, lookups } = fieldsOf(set.type.properties, key, (name, property) =>
    createLookup(
      name,
      membersOf(property, readable.get(property.lookup ?? name)),
      settings.lookups,
    ),
  );
  const schema: StreamSchema = {
    name: set.name,
    fields,
    key,
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    traits: {
      changes: modifiedAt !== undefined,
      deletions:
        settings.deletions?.resources(set.name) !== undefined ||
        (modifiedAt !== undefined && own.has(settings.scope?.visible?.field ?? "")),
      sweep: true,
      count: true,
    },
  };
  requireFields(schema, key, `\`streams.${set.name}.key\``);
  if (modifiedAt !== undefined) {
    requireFields(schema, [modifiedAt], `\`streams.${set.name}.modifiedAt\``);
  }
  const time = modifiedAt === undefined ? undefined : own.get(modifiedAt);
  if (
    time !== undefined &&
    !(time.type.kind === "primitive" && time.type.edm === "DateTimeOffset")
  ) {
    throw new SyncError(
      "CONFIG_INVALID",
      `Field "${modifiedAt}" of stream "${set.name}" is no timestamp, so it cannot be \`modifiedAt\`.`,
      { context: { stream: set.name } },
    );
  }
  const refs = key.flatMap((name) => own.get(name) ?? []).map(refOf);
  return {
    schema,
    decoding: { lookups, zones: zonesOf(schema, configured) },
    keys: refs,
    ...(time === undefined ? {} : { time: refOf(time) }),
    hasNumericKey: key.every((name) => {
      const kind = fields.find((field) => field.name === name)?.type.kind;
      return kind === "integer" || kind === "decimal";
    }),
    related: relatedOf(set, service),
  };
}

/** The configured field, else the first of the service's usual names that is a timestamp here. */
function timeFieldOf(
  configured: StreamSettings,
  settings: OdataSettings,
  own: ReadonlyMap<string, Property>,
): string | undefined {
  if (configured.modifiedAt === null) return undefined;
  if (configured.modifiedAt !== undefined) return configured.modifiedAt;
  return settings.modifiedAtNames.find((name) => {
    const type = own.get(name)?.type;
    return type?.kind === "primitive" && type.edm === "DateTimeOffset";
  });
}

function fieldsOf(
  properties: readonly Property[],
  key: readonly string[],
  lookupOf: (name: string, property: Property) => Lookup,
): { readonly fields: readonly Field[]; readonly lookups: ReadonlyMap<string, Lookup> } {
  const lookups = new Map<string, Lookup>();
  const enums = new Map<string, EnumType>();
  const fields = properties.filter(isInPayload).map((property): Field => {
    const lookup = lookupName(property, enums);
    if (lookup !== undefined && !lookups.has(lookup)) {
      lookups.set(lookup, lookupOf(lookup, property));
    }
    return {
      name: property.name,
      type: valueTypeOf(property),
      nullable: property.isNullable && !key.includes(property.name),
      ...(lookup === undefined ? {} : { lookup }),
    };
  });
  return { fields, lookups };
}

/**
 * The known forms of a lookup's values: of an enum its members, with the readable forms that the
 * service's own list adds; of a text what the list says, and without one nothing, since such values
 * are display names already.
 */
function membersOf(
  { type }: Property,
  readable: readonly LookupMember[] = [],
): readonly LookupMember[] {
  if (type.kind !== "enum") return readable;
  const displays = new Map(readable.map(({ name, display }) => [name, display]));
  return type.enum.members.map(({ name, display }) => ({
    name,
    display: displays.get(name) ?? display,
  }));
}

/** A stream property is fetched by a request of its own and never stands in a record. */
function isInPayload({ type }: Property): boolean {
  return !(type.kind === "primitive" && type.edm === "Stream");
}

/**
 * The annotated name of the lookup, else the enum's own without its namespace; where two enums of
 * a stream would share it, the second one keeps its qualified name.
 */
function lookupName(property: Property, enums: Map<string, EnumType>): string | undefined {
  if (property.type.kind !== "enum") return property.lookup;
  const { enum: type } = property.type;
  const short = property.lookup ?? type.name.slice(type.name.lastIndexOf(".") + 1);
  const holder = enums.get(short);
  if (holder !== undefined && holder !== type) return type.name;
  enums.set(short, type);
  return short;
}

function valueTypeOf(property: Property): ValueType {
  const { type, isCollection, isOrdered } = property;
  if (type.kind === "enum") {
    const isSet = isCollection || type.enum.isFlags;
    return isSet ? { kind: "list", of: { kind: "text" }, ordered: isOrdered } : { kind: "text" };
  }
  const scalar: ScalarType =
    type.kind === "complex" ? { kind: "json" } : scalarOf(type.edm, property);
  if (!isCollection) return scalar;
  if (scalar.kind === "json") return scalar;
  // A lookup's values are a set. Of other collections OData allows repeats, so they stay as sent.
  return { kind: "list", of: scalar, ordered: isOrdered || property.lookup === undefined };
}

function scalarOf(edm: string, property: Property): ScalarType {
  switch (edm) {
    case "String":
      return { kind: "text", ...facet("maxLength", property.maxLength) };
    case "Guid":
    case "Duration":
      return { kind: "text" };
    case "Byte":
    case "SByte":
    case "Int16":
      return { kind: "integer", bits: 16 };
    case "Int32":
      return { kind: "integer", bits: 32 };
    case "Int64":
      return { kind: "integer", bits: 64 };
    case "Decimal":
      return decimalOf(property);
    case "Double":
    case "Single":
      return { kind: "double" };
    case "Boolean":
      return { kind: "boolean" };
    case "Date":
      return { kind: "date" };
    case "DateTimeOffset":
      return { kind: "timestamp" };
    case "TimeOfDay":
      return { kind: "time" };
    case "Binary":
      return { kind: "binary" };
    default:
      return { kind: "json" };
  }
}

/** A decimal's facets count together: a scale beyond the precision means neither means anything. */
function decimalOf({ precision, scale }: Property): ScalarType {
  const { precision: digits } = facet("precision", precision);
  if (digits === undefined) return { kind: "decimal" };
  if (scale !== undefined && !/^\d+$/.test(scale)) return { kind: "decimal" };
  const places = Number(scale ?? 0);
  if (places > digits) return { kind: "decimal" };
  return { kind: "decimal", precision: digits, scale: places };
}

/** The facet where it is a positive whole number; `max`, `variable` and zero declare nothing. */
function facet<K extends string>(
  name: K,
  text: string | undefined,
): { readonly [P in K]?: number } {
  const isMeant = text !== undefined && /^[1-9]\d{0,8}$/.test(text);
  return (isMeant ? { [name]: Number(text) } : {}) as { readonly [P in K]?: number };
}

/** The property as queries compare and order by it. */
export function refOf(property: Property): FieldRef {
  return { name: property.name, literal: literalTypeOf(property) };
}

function literalTypeOf({ type }: Property): LiteralType {
  if (type.kind === "enum") return { kind: "enum", enum: type.enum };
  if (type.kind === "complex" || type.edm === "String") return { kind: "string" };
  if (type.edm === "Duration") return { kind: "duration" };
  return { kind: type.edm === "Binary" ? "binary" : "bare" };
}

function zonesOf(
  schema: StreamSchema,
  { zones = {} }: StreamSettings,
): ReadonlyMap<string, ZoneRule> {
  requireFields(schema, Object.keys(zones), `\`streams.${schema.name}.zones\``);
  for (const [field, { zone }] of Object.entries(zones)) {
    if (field === schema.modifiedAt) {
      throw new SyncError(
        "CONFIG_INVALID",
        `Field "${field}" of stream "${schema.name}" orders changes and must come with its zone; take it out of \`zones\`.`,
      );
    }
    if (isTimeZone(zone)) continue;
    throw new SyncError(
      "CONFIG_INVALID",
      `Field "${field}" of stream "${schema.name}" has the unknown time zone "${zone}"; allowed: IANA names such as "America/Denver".`,
    );
  }
  return new Map(Object.entries(zones));
}

function relatedOf(set: EntitySet, service: ServiceModel): StreamModel["related"] {
  return new Map(
    set.type.navigations.map(({ name, target }) => [
      name,
      service.sets.find((each) => each.type.name === target)?.name,
    ]),
  );
}
