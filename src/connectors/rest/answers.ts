import type { SyncError } from "../../model/sync-error.ts";
import type { Answer, RestClient } from "./client.ts";
import { pathOf, valueAt } from "./paths.ts";
import { isObject, type JsonObject } from "./rows.ts";
import type { RestStream } from "./settings.ts";

/**
 * The records of a list's answer: where `records` says, else the answer itself when it is a list,
 * else the one list in it. Throws CONNECTOR_BAD_RESPONSE.
 */
export function rowsOf(client: RestClient, stream: RestStream, answer: Answer): readonly unknown[] {
  const { body } = answer;
  const wrong = (why: string): SyncError => client.wrong(stream, answer, why);
  if (stream.records !== undefined) {
    const found = valueAt(body, pathOf(stream.records));
    if (Array.isArray(found)) return found;
    throw wrong(`has no list at \`records: ${stream.records}\`${namesIn(body)}`);
  }
  if (Array.isArray(body)) return body;
  const lists = isObject(body) ? Object.values(body).filter(Array.isArray) : [];
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only;
  throw wrong(
    lists.length === 0
      ? `has no list; say where it stands with \`records\`${namesIn(body)}`
      : `has ${lists.length} lists; say which one with \`records\`${namesIn(body)}`,
  );
}

/**
 * One record of an answer: where `record` says, else the answer itself, or the one object in it that
 * has the key. Nothing where the answer has none.
 */
export function recordIn(stream: RestStream, body: unknown): JsonObject | undefined {
  if (stream.record !== undefined) {
    const found = valueAt(body, pathOf(stream.record));
    return isObject(found) ? found : undefined;
  }
  if (!isObject(body)) return undefined;
  if (hasKey(stream, body)) return body;
  const inner = Object.values(body).filter(
    (value): value is JsonObject => isObject(value) && hasKey(stream, value),
  );
  return inner.length === 1 ? inner[0] : undefined;
}

function hasKey({ key, fields }: RestStream, object: JsonObject): boolean {
  return key.every((name) => valueAt(object, fields.get(name)?.path ?? [name]) !== undefined);
}

const namesIn = (body: unknown): string =>
  isObject(body) ? `; it has ${Object.keys(body).slice(0, 10).join(", ") || "nothing"}` : "";
