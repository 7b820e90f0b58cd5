import type { EnumType } from "./metadata-model.ts";

/** What a literal in a filter is written as. Kinds not named here are written bare. */
export type LiteralType =
  | { readonly kind: "string" }
  | { readonly kind: "bare" }
  | { readonly kind: "duration" | "binary" }
  | { readonly kind: "enum"; readonly enum: EnumType };

/**
 * A canonical value as OData writes it in a filter: strings quoted (quotes inside doubled), enum
 * values qualified by their type, numbers, dates, timestamps and GUIDs bare. An enum value may be
 * given as its member name or its display name.
 */
export function literal(type: LiteralType, value: string): string {
  switch (type.kind) {
    case "string":
      return quoted(value);
    case "bare":
      return value;
    case "duration":
    case "binary":
      return type.kind + quoted(value);
    case "enum": {
      const { members, name } = type.enum;
      const member =
        members.find((each) => each.name === value) ??
        members.find((each) => each.display === value);
      return name + quoted(member?.name ?? value);
    }
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A field that a query compares or orders by. */
export interface FieldRef {
  readonly name: string;
  readonly literal: LiteralType;
}

export const compare = (
  field: FieldRef,
  operator: "eq" | "gt" | "ge" | "lt" | "le",
  value: string,
): string => `${field.name} ${operator} ${literal(field.literal, value)}`;

/** All that must hold; parentheses only round what holds an `or`, for servers that mind them. */
export function allOf(parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined && part.trim() !== "");
  if (given.length < 2) return given[0];
  return given.map((part) => (holdsOr(part ?? "") ? `(${part})` : part)).join(" and ");
}

export const anyOf = (parts: readonly string[]): string =>
  parts
    .map((part) => (parts.length > 1 && part.includes(" and ") ? `(${part})` : part))
    .join(" or ");

/** Strictly after a place in the order of several fields: `a gt A or (a eq A and b gt B)`. */
export function after(fields: readonly FieldRef[], values: readonly string[]): string {
  return beside(fields, values, () => "gt");
}

/** All that is not after that place: `a lt A or (a eq A and b le B)`. */
export function upTo(fields: readonly FieldRef[], values: readonly string[]): string {
  return beside(fields, values, (index) => (index === fields.length - 1 ? "le" : "lt"));
}

function beside(
  fields: readonly FieldRef[],
  values: readonly string[],
  operatorAt: (index: number) => "gt" | "lt" | "le",
): string {
  return anyOf(
    fields.map((field, index) =>
      [
        ...fields.slice(0, index).map((before, at) => compare(before, "eq", values[at] ?? "")),
        compare(field, operatorAt(index), values[index] ?? ""),
      ].join(" and "),
    ),
  );
}

export interface Query {
  readonly select?: readonly string[] | undefined;
  readonly filter?: string | undefined;
  readonly orderBy?: readonly string[] | undefined;
  readonly top?: number | undefined;
  /** To look at one record far on; a set is never walked by it. */
  readonly skip?: number | undefined;
  readonly isCounted?: boolean | undefined;
  readonly expand?: readonly string[] | undefined;
  /** A custom option as it is, `name=value`. */
  readonly custom?: string | undefined;
}

/** The URL of a query on a path below the service root. A space is `%20`: strict servers refuse `+`. */
export function queryUrl(root: string, path: string, query: Query = {}): string {
  const options = [
    option("$filter", query.filter),
    option("$orderby", query.orderBy?.join(",")),
    option("$select", query.select?.join(",")),
    option("$expand", query.expand?.join(",")),
    option("$top", query.top?.toString()),
    option("$skip", query.skip?.toString()),
    option("$count", query.isCounted === true ? "true" : undefined),
    query.custom,
  ].filter((each) => each !== undefined);
  const url = `${root.replace(/\/+$/, "")}/${path}`;
  return options.length === 0 ? url : `${url}?${options.join("&")}`;
}

function option(name: string, value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : `${name}=${encodeOption(value)}`;
}

/** Percent-encodes all that may not stand in a query, and keeps what makes it readable. */
function encodeOption(text: string): string {
  return encodeURIComponent(text).replace(/%(2C|3A|2F|24|40)/g, (code) => decodeURIComponent(code));
}

/** `Property(1611952)`, `Media('a%27b')`, `Pair(A=1,B='x')`: one record by its key. */
export function recordPath(
  set: string,
  keys: readonly FieldRef[],
  values: readonly string[],
): string {
  const parts = keys.map((field, index) => {
    const text = literal(field.literal, values[index] ?? "");
    return keys.length === 1 ? text : `${field.name}=${text}`;
  });
  return `${set}(${parts.map((part) => encodeURIComponent(part).replaceAll("%3D", "=")).join(",")})`;
}

/** True for an `or` outside of parentheses. */
function holdsOr(filter: string): boolean {
  let bare = filter.replace(/'(?:[^']|'')*'/g, "''");
  for (let before = ""; before !== bare; ) {
    before = bare;
    bare = bare.replace(/\([^()]*\)/g, "");
  }
  return /\bor\b/i.test(bare);
}
