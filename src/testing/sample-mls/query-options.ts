import type { Filter } from "./filter-parser.ts";
import { parseFilter } from "./filter-parser.ts";
import type { EntityDefinition, NavigationDefinition, PropertyDefinition } from "./model.ts";
import { findProperty } from "./model.ts";
import type { SampleBehavior } from "./options.ts";
import { badRequest } from "./request-error.ts";

/** One key of an `$orderby`. */
export interface OrderKey {
  readonly property: PropertyDefinition;
  readonly isDescending: boolean;
}

/** The query options of a request, checked against an entity type. */
export interface QueryOptions {
  readonly filter: Filter | undefined;
  /** The text of the filter, for links and as a cache key. */
  readonly filterText: string | undefined;
  readonly orderBy: readonly OrderKey[];
  readonly orderByText: string | undefined;
  readonly select: readonly PropertyDefinition[] | undefined;
  readonly expand: readonly NavigationDefinition[];
  readonly top: number | undefined;
  readonly skip: number;
  readonly count: boolean;
}

const KNOWN: ReadonlySet<string> = new Set([
  "$filter",
  "$orderby",
  "$select",
  "$expand",
  "$top",
  "$skip",
  "$count",
]);

/** Splits and decodes a raw query. A plus sign is refused: strict OData does not read it as space. */
export function parseQueryString(raw: string): Map<string, string> {
  const options = new Map<string, string>();
  if (raw.includes("+")) {
    throw badRequest("'+' in the query; write a space as %20");
  }
  for (const part of raw.split("&").filter((text) => text !== "")) {
    const separator = part.includes("=") ? part.indexOf("=") : part.length;
    const name = decode(part.slice(0, separator));
    if (options.has(name)) {
      throw badRequest(`Query option '${name}' is given twice`);
    }
    options.set(name, decode(part.slice(separator + 1)));
  }
  return options;
}

function decode(text: string): string {
  if (text.includes(" ")) {
    throw badRequest("A space in the query");
  }
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw Object.assign(badRequest("The query is not percent-encoded UTF-8"), { cause });
  }
}

/** Checks the `$` options of a request; other options are left alone, as OData asks. */
export function checkQueryOptions(
  given: ReadonlyMap<string, string>,
  entity: EntityDefinition,
  behavior: SampleBehavior,
): QueryOptions {
  for (const name of given.keys()) {
    if (name.startsWith("$") && !KNOWN.has(name)) {
      throw badRequest(`Unknown query option '${name}'`);
    }
  }
  const filterText = given.get("$filter");
  const orderByText = given.get("$orderby");
  const skip = wholeNumber(given, "$skip") ?? 0;
  if (behavior.skipLimit !== undefined && skip > behavior.skipLimit) {
    throw badRequest(`$skip is larger than ${behavior.skipLimit}`);
  }
  return {
    filter: filterText === undefined ? undefined : parseFilter(filterText),
    filterText,
    orderBy: orderByText === undefined ? [] : parseOrderBy(orderByText, entity, behavior),
    orderByText,
    select: parseSelect(given.get("$select"), entity),
    expand: parseExpand(given.get("$expand"), entity),
    top: wholeNumber(given, "$top"),
    skip,
    count: parseCount(given.get("$count")),
  };
}

function wholeNumber(given: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = given.get(name);
  if (text !== undefined && !/^\d{1,9}$/.test(text)) {
    throw badRequest(`${name} is '${text}': expected a whole number`);
  }
  return text === undefined ? undefined : Number(text);
}

function parseCount(text: string | undefined): boolean {
  if (text !== undefined && text !== "true" && text !== "false") {
    throw badRequest(`$count is '${text}': expected true or false`);
  }
  return text === "true";
}

function parseOrderBy(
  text: string,
  entity: EntityDefinition,
  behavior: SampleBehavior,
): OrderKey[] {
  const keys = names(text).map((part) => {
    const [, name, direction] = /^(\w+)(?: +(asc|desc))?$/.exec(part) ?? [];
    if (name === undefined) {
      throw badRequest(`Cannot read $orderby '${part}'`);
    }
    const property = requireProperty(name, entity);
    if (property.type === "GeographyPoint") {
      throw badRequest(`$orderby by '${name}' is not supported`);
    }
    return { property, isDescending: direction === "desc" };
  });
  if (keys.length > 1 && !behavior.compositeOrderBy) {
    throw badRequest("$orderby with more than one property is not supported");
  }
  return keys;
}

function parseSelect(
  text: string | undefined,
  entity: EntityDefinition,
): PropertyDefinition[] | undefined {
  if (text === undefined || text.trim() === "*") {
    return undefined;
  }
  return [...new Set(names(text))].map((name) => requireProperty(name, entity));
}

function parseExpand(text: string | undefined, entity: EntityDefinition): NavigationDefinition[] {
  if (text === undefined) {
    return [];
  }
  return [...new Set(names(text))].map((name) => {
    if (name.includes("(")) {
      throw badRequest(`Options in $expand are not supported: '${name}'`);
    }
    const navigation = entity.navigations.find((each) => each.name === name);
    if (navigation === undefined) {
      throw badRequest(`Unknown property '${name}'`);
    }
    return navigation;
  });
}

function requireProperty(name: string, entity: EntityDefinition): PropertyDefinition {
  const property = findProperty(entity, name);
  if (property === undefined) {
    throw badRequest(`Unknown property '${name}'`);
  }
  return property;
}

function names(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}
