import { parseExactJson } from "../../connectors/http/exact-json.ts";
import { exactJson, exactNumber, numberText } from "../../model/exact-number.ts";
import type { InventoryItem } from "./options.ts";
import type { ItemValues } from "./store.ts";

/** A mistake of the caller's, as the API answers it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The item as JSON has it: prices are numbers with all their digits. */
export function itemJson(item: InventoryItem): Readonly<Record<string, unknown>> {
  const { price, ...rest } = item;
  return { ...rest, price: price === null ? null : exactNumber(price) };
}

export const printJson = (value: unknown): string => exactJson(value);

/** The values of a body; whatever the API would not have is an ApiError. */
export function valuesOf(text: string): ItemValues {
  const body = tryParse(text);
  if (body === undefined) throw new ApiError(400, "BAD_JSON", "The body is no JSON.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ApiError(400, "BAD_JSON", "The body is no object.");
  }
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    const check = CHECKS[name];
    if (check === undefined) throw new ApiError(422, "UNKNOWN_FIELD", `There is no ${name}.`);
    const given = name === "price" ? (numberText(value) ?? value) : value;
    if (!check(given)) throw new ApiError(422, "INVALID", `The ${name} is not valid.`);
    values[name] = given;
  }
  return values;
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

type Check = (value: unknown) => boolean;

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isText: Check = (value) => typeof value === "string";

/** `id` and `updated_at` are the API's own; it passes over what a PUT brings of them. */
const CHECKS: Readonly<Record<string, Check>> = {
  id: () => true,
  updated_at: () => true,
  sku: (value) => typeof value === "string" && value !== "" && !value.includes("\u0000"),
  name: isText,
  price: orNull((value) => typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value)),
  stock: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  active: orNull((value) => typeof value === "boolean"),
  note: orNull(isText),
  tags: orNull((value) => Array.isArray(value) && value.every(isText)),
  counted_on: orNull((value) => isText(value) && /^\d{4}-\d\d-\d\d$/.test(String(value))),
  seen_at: orNull((value) => isText(value) && String(value).endsWith("Z")),
  extra: () => true,
  supplier: orNull((value) => typeof value === "object"),
};

/** The fields that a caller may write, without those that are the API's own. */
export function writable({
  ...values
}: ItemValues & { id?: unknown; updated_at?: unknown }): ItemValues {
  delete values.id;
  delete values.updated_at;
  return values;
}
