import type { PropertyDefinition } from "./model.ts";

/*
 * The facets below are as senseless as the real ones: a precision of 255 digits on a 32-bit
 * integer, a length on a timestamp. A client that believes them makes wrong columns.
 */

/** A key-like 32-bit integer. */
export function integer(name: string): PropertyDefinition {
  return { name, type: "Int32", precision: 255, scale: 0 };
}

/** A small 32-bit integer. */
export function count(name: string, digits: number): PropertyDefinition {
  return { name, type: "Int32", precision: digits, scale: 0 };
}

/** A Decimal, (14,2) unless told. */
export function amount(name: string, precision = 14, scale = 2): PropertyDefinition {
  return { name, type: "Decimal", precision, scale };
}

/** A text. */
export function text(name: string, maxLength: number): PropertyDefinition {
  return { name, type: "String", maxLength };
}

/** A Boolean. */
export function flag(name: string): PropertyDefinition {
  return { name, type: "Boolean" };
}

/** A timestamp. */
export function stamp(name: string): PropertyDefinition {
  return { name, type: "DateTimeOffset", maxLength: 27, precision: 27, scale: 0 };
}

/** An enum property; the type has the property's name unless told. */
export function choice(name: string, enumName = name): PropertyDefinition {
  return { name, type: "Enum", enumName };
}
