import type { EnumType, Property } from "../connectors/odata/metadata-model.ts";
import type { Field } from "../model/schema.ts";
import type { ScalarType } from "../model/value.ts";
import type { SetModel, SetModels } from "./service.ts";
import { createTypeNames, propertyName, type TypeNames } from "./type-names.ts";

/** First line of every file that is written, by which it is known again. */
const TYPES_MARK = "// Written by `lockstep types`.";

export interface TypesSource {
  readonly sets: readonly SetModel[];
  readonly models: SetModels;
  /** Navigation names that work although `$metadata` does not declare them, by set. */
  readonly expandable: Readonly<Record<string, readonly string[]>>;
  /** The service's address, for the head of the file. */
  readonly url: string;
}

export interface TypesText {
  readonly text: string;
  readonly streams: number;
  readonly lookups: number;
}

const ALIASES = `/** The text of an exact decimal number. */
export type Decimal = \`\${number}\`;
/** The text of a whole number of 64 bits. */
export type Int64 = \`\${bigint}\`;
/** An instant in UTC, such as 2026-01-31T18:48:38Z. */
export type Timestamp = \`\${string}T\${string}Z\`;
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };`;

/**
 * A TypeScript module without imports: an interface for every entity set, a union of display names
 * for every lookup, and `Streams` for `createResoClient<Streams>()`.
 */
export function typesText(source: TypesSource): TypesText {
  const names = createTypeNames(["Decimal", "Int64", "Timestamp", "Json", "Streams"]);
  for (const set of source.sets) names.ofSet(set.name);
  const lookups = new Map<string, EnumType>();
  const interfaces = source.sets.map((set) => interfaceText(set, names, lookups));
  const unions = [...lookups].map(([name, type]) => unionText(name, type));
  const head = [
    `${TYPES_MARK} Do not edit: run it again when the service's fields or lookups change.`,
    `// Service: ${source.url}`,
    "/* eslint-disable */",
    "",
  ].join("\n");
  const parts = [head + ALIASES, streamsText(source, names), ...interfaces, ...unions];
  return {
    text: `${parts.join("\n\n")}\n`,
    streams: source.sets.length,
    lookups: lookups.size,
  };
}

function interfaceText(
  { name, stream, properties }: SetModel,
  names: TypeNames,
  lookups: Map<string, EnumType>,
): string {
  const { schema } = stream;
  const lines = schema.fields.flatMap((field) => {
    const property = properties.get(field.name) as Property;
    if (property.type.kind === "enum")
      lookups.set(names.ofEnum(property.type.enum.name), property.type.enum);
    const type = fieldType(field, property, names);
    const notes = [
      ...(schema.key.includes(field.name) ? ["Key."] : []),
      ...(schema.modifiedAt === field.name ? ["When the record last changed."] : []),
      `${edmText(property)}.`,
    ];
    return [
      `  /** ${commentText(notes.join(" "))} */`,
      `  readonly ${propertyName(field.name)}: ${type}${field.nullable ? " | null" : ""};`,
    ];
  });
  return [
    `/** A record of the entity set ${commentText(name)}. */`,
    `export interface ${names.ofSet(name)} {`,
    ...lines,
    "}",
  ].join("\n");
}

function fieldType({ type }: Field, property: Property, names: TypeNames): string {
  const scalar = type.kind === "list" ? type.of : type;
  const single =
    property.type.kind === "enum" ? names.ofEnum(property.type.enum.name) : scalarType(scalar);
  return type.kind === "list" ? `readonly ${single}[]` : single;
}

function scalarType(type: ScalarType): string {
  switch (type.kind) {
    case "integer":
      return type.bits === 64 ? "Int64" : "number";
    case "decimal":
      return "Decimal";
    case "double":
      return "number";
    case "boolean":
      return "boolean";
    case "timestamp":
      return "Timestamp";
    case "json":
      return "Json";
    default:
      return "string";
  }
}

/** What `$metadata` says of the field, with what the type alone does not tell. */
function edmText({ type, isCollection, maxLength, precision, scale, lookup }: Property): string {
  const facets = [maxLength, precision, scale].filter((facet) => facet !== undefined).join(",");
  const size = facets === "" ? "" : `(${facets})`;
  const own =
    type.kind === "enum"
      ? `${type.enum.isFlags ? "Several values" : "One value"} of ${type.enum.name}`
      : type.kind === "complex"
        ? type.name
        : `Edm.${type.edm}${size}`;
  const whole = isCollection ? `Collection of ${own}` : own;
  return type.kind === "enum" || lookup === undefined ? whole : `${whole}, lookup ${lookup}`;
}

function unionText(name: string, { name: qualified, members }: EnumType): string {
  const displays = [...new Set(members.map((member) => member.display))];
  const values = displays.map((display) => `  | ${JSON.stringify(display)}`);
  return [
    `/** Lookup ${commentText(qualified)}, ${displays.length} values. */`,
    values.length === 0
      ? `export type ${name} = string;`
      : `export type ${name} =\n${values.join("\n")};`,
  ].join("\n");
}

function streamsText({ sets, models, expandable }: TypesSource, names: TypeNames): string {
  const relatedType = (set: SetModel, navigation: string): string => {
    const target = models.target(set, navigation);
    const record = target === undefined ? "Json" : names.ofSet(target.name);
    const isCollection = set.navigations.get(navigation)?.isCollection ?? true;
    return isCollection ? `readonly ${record}[]` : `${record} | null`;
  };
  const entries = sets.map((set) => {
    const related = [...new Set([...set.navigations.keys(), ...(expandable[set.name] ?? [])])];
    return [
      `  readonly ${propertyName(set.name)}: {`,
      `    readonly record: ${names.ofSet(set.name)};`,
      `    readonly key: ${keyType(set)};`,
      "    readonly related: {",
      ...related.map((each) => `      readonly ${propertyName(each)}: ${relatedType(set, each)};`),
      "    };",
      "  };",
    ].join("\n");
  });
  return [
    "/** Every entity set, for `createResoClient<Streams>(…)`. */",
    "export interface Streams {",
    ...entries,
    "}",
  ].join("\n");
}

function keyType({ stream }: SetModel): string {
  const types = stream.schema.key.map((name) => {
    const field = stream.schema.fields.find((each) => each.name === name);
    const type = field?.type ?? { kind: "text" };
    const single = type.kind === "list" ? "string" : scalarType(type);
    return [name, single === "Int64" ? "Int64 | number" : single] as const;
  });
  const [[, only] = ["", "string"]] = types;
  if (types.length === 1) return only;
  return `{ ${types.map(([name, type]) => `readonly ${propertyName(name)}: ${type}`).join("; ")} }`;
}

/** Text that cannot end the comment it stands in. */
function commentText(text: string): string {
  return text.replaceAll("*/", "*\\/").replace(/\s+/g, " ");
}
