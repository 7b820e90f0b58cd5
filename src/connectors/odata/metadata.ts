import { type Annotations, readAnnotations } from "./metadata-annotations.ts";
import type {
  EntitySet,
  EntityType,
  EnumType,
  Navigation,
  Property,
  PropertyType,
  ServiceModel,
} from "./metadata-model.ts";
import { invalid, readMetadataXml, type XmlElement } from "./metadata-xml.ts";

/** Primitive types of OData 4 without their namespace; geo types are told by their prefix. */
const PRIMITIVES = new Set(
  (
    "Binary Boolean Byte Date DateTimeOffset Decimal Double Duration Guid Int16 Int32 Int64 " +
    "PrimitiveType SByte Single Stream String TimeOfDay Untyped"
  ).split(" "),
);
const GEO =
  /^Geo(?:graphy|metry)(?:Point|LineString|Polygon|MultiPoint|MultiLineString|MultiPolygon|Collection)?$/;

/** A type as the document declares it, with where it stands. */
interface Declared {
  readonly kind: "EntityType" | "ComplexType" | "EnumType" | "TypeDefinition";
  readonly name: string;
  readonly xml: XmlElement;
}

/** Everything a reference in the document may lead to. */
interface Scope {
  readonly types: ReadonlyMap<string, Declared>;
  readonly enums: ReadonlyMap<string, EnumType>;
  readonly annotations: Annotations;
  /** A name with its schema's alias replaced by the namespace. */
  readonly qualify: (name: string) => string;
}

/**
 * Reads a `$metadata` document. Facets that the type makes meaningless are carried, not judged.
 * Throws METADATA_INVALID naming the line (XML) or the schema, type and property (contents): an
 * unknown type, a cycle of base types, a name that stands twice, a set whose type is unknown or
 * has no key, no container.
 */
export function parseMetadata(text: string): ServiceModel {
  const schemas = readMetadataXml(text)
    .children("DataServices")
    .flatMap((services) => services.children("Schema"));
  if (schemas.length === 0) throw invalid("has no Schema");
  const scope = scopeOf(schemas);
  const sets = readSets(schemas, scope);
  return { sets, enums: [...scope.enums.values()] };
}

function scopeOf(schemas: readonly XmlElement[]): Scope {
  const aliases = new Map<string, string>();
  const types = new Map<string, Declared>();
  for (const schema of schemas) {
    const namespace = named(schema, "Namespace", "a Schema");
    const alias = schema.attribute("Alias");
    if (alias !== undefined) aliases.set(alias, namespace);
    for (const kind of ["EntityType", "ComplexType", "EnumType", "TypeDefinition"] as const) {
      for (const xml of schema.children(kind)) {
        const name = `${namespace}.${named(xml, "Name", `a ${kind} of schema "${namespace}"`)}`;
        if (types.has(name)) throw invalid(`declares the type "${name}" twice`);
        types.set(name, { kind, name, xml });
      }
    }
  }
  const qualify = (name: string): string => {
    const at = name.lastIndexOf(".");
    const namespace = aliases.get(name.slice(0, at));
    return namespace === undefined ? name : namespace + name.slice(at);
  };
  const annotations = readAnnotations(schemas, qualify);
  const enums = new Map<string, EnumType>();
  for (const { kind, name, xml } of types.values()) {
    if (kind === "EnumType") enums.set(name, readEnum(name, xml, annotations));
  }
  return { types, enums, annotations, qualify };
}

function readEnum(name: string, xml: XmlElement, annotations: Annotations): EnumType {
  const names = new Set<string>();
  let next = 0n;
  const members = xml.children("Member").map((member) => {
    const memberName = named(member, "Name", `a member of enum "${name}"`);
    if (names.has(memberName)) throw invalid(`has the member "${memberName}" of "${name}" twice`);
    names.add(memberName);
    const written = member.attribute("Value");
    if (written !== undefined && !/^-?\d+$/.test(written)) {
      throw invalid(`gives the member "${memberName}" of "${name}" the value "${written}"`);
    }
    const value = written === undefined ? next : BigInt(written);
    next = value + 1n;
    const display = annotations.of(member, `${name}/${memberName}`, "StandardName");
    return { name: memberName, display: display || memberName, value };
  });
  return { name, isFlags: xml.attribute("IsFlags") === "true", members };
}

function readSets(schemas: readonly XmlElement[], scope: Scope): readonly EntitySet[] {
  const containers = schemas.flatMap((schema) => schema.children("EntityContainer"));
  if (containers.length === 0) throw invalid("has no EntityContainer");
  const sets = new Map<string, EntitySet>();
  const types = new Map<string, EntityType>();
  for (const xml of containers.flatMap((container) => container.children("EntitySet"))) {
    const name = named(xml, "Name", "an EntitySet");
    if (sets.has(name)) throw invalid(`declares the entity set "${name}" twice`);
    const typeName = scope.qualify(named(xml, "EntityType", `the entity set "${name}"`));
    if (scope.types.get(typeName)?.kind !== "EntityType") {
      throw invalid(`gives the entity set "${name}" the unknown entity type "${typeName}"`);
    }
    const type = types.get(typeName) ?? readEntityType(typeName, scope);
    types.set(typeName, type);
    if (type.key.length === 0) {
      throw invalid(`declares no key for the type "${typeName}" of the entity set "${name}"`);
    }
    sets.set(name, { name, type });
  }
  return [...sets.values()];
}

function readEntityType(name: string, scope: Scope): EntityType {
  const lineage = lineageOf(name, scope);
  const properties = new Map<string, Property>();
  const navigations: Navigation[] = [];
  let key: readonly string[] = [];
  for (const { name: owner, xml } of lineage) {
    for (const property of xml.children("Property")) {
      const read = readProperty(owner, property, scope);
      if (properties.has(read.name)) {
        throw invalid(`declares the property "${read.name}" of "${name}" twice`);
      }
      properties.set(read.name, read);
    }
    for (const navigation of xml.children("NavigationProperty")) {
      navigations.push(readNavigation(owner, navigation, scope));
    }
    const own = xml.children("Key").flatMap((keys) => keys.children("PropertyRef"));
    if (own.length > 0) key = own.map((ref) => named(ref, "Name", `the key of "${owner}"`));
  }
  const unknown = key.find((each) => !properties.has(each));
  if (unknown !== undefined) {
    throw invalid(`names "${unknown}" as a key of "${name}", which has no such property`);
  }
  return { name, properties: [...properties.values()], key, navigations };
}

/** The type and its base types, the oldest first. */
function lineageOf(name: string, scope: Scope): readonly Declared[] {
  const lineage: Declared[] = [];
  const seen = new Set<string>();
  let next: string | undefined = name;
  while (next !== undefined) {
    if (seen.has(next)) throw invalid(`has a cycle of base types at "${next}"`);
    seen.add(next);
    const type = scope.types.get(next);
    if (type?.kind !== "EntityType") {
      throw invalid(`gives "${lineage[0]?.name ?? name}" the unknown base type "${next}"`);
    }
    lineage.unshift(type);
    const base = type.xml.attribute("BaseType");
    next = base === undefined ? undefined : scope.qualify(base);
  }
  return lineage;
}

function readProperty(owner: string, xml: XmlElement, scope: Scope): Property {
  const name = named(xml, "Name", `a property of "${owner}"`);
  const place = `property "${name}" of "${owner}"`;
  const written = named(xml, "Type", `the ${place}`);
  const inner = /^Collection\((.*)\)$/.exec(written)?.[1];
  const target = `${owner}/${name}`;
  const lookup = scope.annotations.of(xml, target, "LookupName");
  return {
    name,
    type: resolveType(scope.qualify(inner ?? written), place, scope, new Set()),
    isCollection: inner !== undefined,
    isNullable: xml.attribute("Nullable") !== "false",
    isOrdered: scope.annotations.isTrue(xml, target, "Ordered"),
    ...optional("lookup", lookup),
    ...optional("maxLength", xml.attribute("MaxLength")),
    ...optional("precision", xml.attribute("Precision")),
    ...optional("scale", xml.attribute("Scale")),
    ...optional("srid", xml.attribute("SRID")),
  };
}

function resolveType(name: string, place: string, scope: Scope, seen: Set<string>): PropertyType {
  if (name.startsWith("Edm.")) {
    const edm = name.slice("Edm.".length);
    if (PRIMITIVES.has(edm) || GEO.test(edm)) return { kind: "primitive", edm };
  }
  const enumType = scope.enums.get(name);
  if (enumType !== undefined) return { kind: "enum", enum: enumType };
  const declared = scope.types.get(name);
  if (declared?.kind === "ComplexType") return { kind: "complex", name };
  if (declared?.kind === "TypeDefinition" && !seen.has(name)) {
    seen.add(name);
    const underlying = named(declared.xml, "UnderlyingType", `the type definition "${name}"`);
    return resolveType(scope.qualify(underlying), place, scope, seen);
  }
  throw invalid(`gives the ${place} the unknown type "${name}"`);
}

function readNavigation(owner: string, xml: XmlElement, scope: Scope): Navigation {
  const name = named(xml, "Name", `a navigation property of "${owner}"`);
  const written = named(xml, "Type", `the navigation property "${name}" of "${owner}"`);
  const inner = /^Collection\((.*)\)$/.exec(written)?.[1];
  const joins = xml.children("ReferentialConstraint").flatMap((constraint) => {
    const property = constraint.attribute("Property");
    const targetProperty = constraint.attribute("ReferencedProperty");
    return property === undefined || targetProperty === undefined
      ? []
      : [{ property, targetProperty }];
  });
  return {
    name,
    target: scope.qualify(inner ?? written),
    isCollection: inner !== undefined,
    joins,
  };
}

function named(xml: XmlElement, attribute: string, place: string): string {
  const value = xml.attribute(attribute)?.trim();
  if (value) return value;
  throw invalid(`has ${place} without ${attribute}`);
}

function optional<K extends string>(
  name: K,
  value: string | undefined,
): { readonly [P in K]?: string } {
  return (value === undefined || value === "" ? {} : { [name]: value }) as {
    readonly [P in K]?: string;
  };
}
