/** What a service says of itself in `$metadata`. Names of types are qualified by their namespace. */
export interface ServiceModel {
  readonly sets: readonly EntitySet[];
  readonly enums: readonly EnumType[];
}

export interface EntitySet {
  readonly name: string;
  readonly type: EntityType;
}

/** An entity type with what it inherits. */
export interface EntityType {
  readonly name: string;
  readonly properties: readonly Property[];
  /** Names of properties. */
  readonly key: readonly string[];
  readonly navigations: readonly Navigation[];
}

export interface Property {
  readonly name: string;
  readonly type: PropertyType;
  readonly isCollection: boolean;
  readonly isNullable: boolean;
  /** From the annotation `LookupName`. */
  readonly lookup?: string;
  /** The annotation `Ordered` says that a collection's order matters. */
  readonly isOrdered: boolean;
  /** Facets as written; whether they mean anything depends on the type. */
  readonly maxLength?: string;
  readonly precision?: string;
  readonly scale?: string;
  readonly srid?: string;
}

export type PropertyType =
  /** `edm` without the namespace: `String`, `Int32`. */
  | { readonly kind: "primitive"; readonly edm: string }
  | { readonly kind: "enum"; readonly enum: EnumType }
  | { readonly kind: "complex"; readonly name: string };

export interface EnumType {
  readonly name: string;
  readonly isFlags: boolean;
  readonly members: readonly EnumMember[];
}

export interface EnumMember {
  readonly name: string;
  /** From the annotation `StandardName`, else the name. */
  readonly display: string;
  /** Flags reach beyond 2^53. */
  readonly value: bigint;
}

export interface Navigation {
  readonly name: string;
  /** Qualified name of the entity type. */
  readonly target: string;
  readonly isCollection: boolean;
  /** From the referential constraints: this type's property holds the target's. */
  readonly joins: readonly { readonly property: string; readonly targetProperty: string }[];
}
