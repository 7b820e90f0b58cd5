/** The Edm types the sample MLS uses; `Enum` stands for a type of `Odata.Models`. */
export type EdmType =
  | "Int32"
  | "Int64"
  | "Decimal"
  | "String"
  | "Boolean"
  | "Date"
  | "DateTimeOffset"
  | "GeographyPoint"
  | "Enum";

/** One column of an entity type, with the facets as they stand in `$metadata`. */
export interface PropertyDefinition {
  readonly name: string;
  readonly type: EdmType;
  /** Name of the enum type, for `Enum` only. It need not equal the property's name. */
  readonly enumName?: string;
  readonly maxLength?: number;
  readonly precision?: number;
  readonly scale?: number;
}

/** A navigation, always served and declared as a collection. */
export interface NavigationDefinition {
  readonly name: string;
  readonly target: string;
}

/** One entity set with its entity type; both have the same name, as at WFRMLS. */
export interface EntityDefinition {
  readonly name: string;
  /** Name of the key property; undefined for `Deleted`, which has none. */
  readonly key: string | undefined;
  /** Property that holds the time of the last change, if there is one. */
  readonly timestamp: string | undefined;
  /** Other properties whose text always equals the key. */
  readonly alternateKeys: readonly string[];
  /** Properties that hold the key of the parent listing. */
  readonly parentKeys: readonly string[];
  readonly properties: readonly PropertyDefinition[];
  readonly navigations: readonly NavigationDefinition[];
  /** Columns at the end that a platform has added. */
  readonly addedProperties: number;
  /** Served, but in neither `$metadata` nor the service document. */
  readonly isUndocumented: boolean;
}

/** One member of an enum type; the value is text because flags reach 2^62. */
export interface EnumMember {
  readonly name: string;
  readonly value: string;
  readonly display: string;
}

/** An enum type. Flags members have one bit each. */
export interface EnumDefinition {
  readonly name: string;
  readonly isFlags: boolean;
  readonly members: readonly EnumMember[];
}

/** Everything the server publishes about its data. */
export interface Model {
  readonly entities: readonly EntityDefinition[];
  readonly enums: ReadonlyMap<string, EnumDefinition>;
}

/** A point of `Edm.GeographyPoint`, as GeoJSON. */
export interface GeoPoint {
  readonly type: "Point";
  readonly coordinates: readonly [longitude: number, latitude: number];
}

/**
 * A value inside the store: Decimal and Int64 are number texts, enums are member names joined by
 * commas, dates and timestamps are texts.
 */
export type Value = string | number | boolean | null | GeoPoint;

/** A record's key. */
export type Key = number | string;

/** Orders keys of one entity set: numbers by size, texts by code unit. */
export function compareKeys(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Finds a property of an entity by its exact name. */
export function findProperty(
  entity: EntityDefinition,
  name: string,
): PropertyDefinition | undefined {
  return entity.properties.find((property) => property.name === name);
}
