/**
 * A field's value in canonical form. JSON-safe, so it can be logged, hashed and stored as it is.
 *
 * | value type        | canonical form                                                        |
 * |-------------------|-----------------------------------------------------------------------|
 * | text, enumeration | string, exactly as the system gave it                                 |
 * | integer (16, 32)  | number                                                                |
 * | integer (64)      | string of digits, so that nothing above 2^53 is lost                  |
 * | decimal           | string without exponent, leading zeros or trailing fraction zeros     |
 * | double            | finite number                                                         |
 * | boolean           | boolean                                                               |
 * | date              | `YYYY-MM-DD`                                                          |
 * | timestamp         | UTC, `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, every fraction digit kept     |
 * | time              | `HH:MM:SS[.fraction]`                                                 |
 * | binary            | base64 text                                                           |
 * | json              | JSON text                                                             |
 * | list              | array of canonical values; as a set it is sorted and without repeats  |
 */
export type Value = null | boolean | number | string | readonly Value[];

/** What a field holds. Facets are absent where the system does not declare a meaningful one. */
export type ValueType =
  | { readonly kind: "text"; readonly maxLength?: number }
  | { readonly kind: "integer"; readonly bits: 16 | 32 | 64 }
  | { readonly kind: "decimal"; readonly precision?: number; readonly scale?: number }
  | { readonly kind: "double" }
  | { readonly kind: "boolean" }
  | { readonly kind: "date" }
  /** `precision`: digits of the fraction that the system keeps; it cuts off what is below. */
  | { readonly kind: "timestamp"; readonly precision?: number }
  | { readonly kind: "time"; readonly precision?: number }
  | { readonly kind: "binary" }
  | { readonly kind: "json" }
  | { readonly kind: "list"; readonly of: ScalarType; readonly ordered: boolean };

/** Every value type but a list. */
export type ScalarType = Exclude<ValueType, { readonly kind: "list" }>;

/** True when two canonical values of one field are the same value. */
export function valuesEqual(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, index) => valuesEqual(item, b[index]));
}
