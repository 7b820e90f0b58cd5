import { grantIssues, type SettingIssue } from "../http/grant-config.ts";
import { type RestConfig, type RestStreamConfig, ROUTE } from "./config-types.ts";
import { placesIn } from "./paths.ts";

const issue = (path: readonly PropertyKey[], message: string): SettingIssue => ({
  code: "custom",
  path: [...path],
  message,
  input: undefined,
});

/** What is wrong with the ways of showing who asks. */
export function authIssues(config: RestConfig): SettingIssue[] {
  const { grant, token, username, password, apiKey, apiKeyHeader, apiKeyParameter } = config;
  const isBasic = grant === undefined && (username !== undefined || password !== undefined);
  const found = isBasic
    ? [
        ...(username === undefined ? [issue(["username"], "must be set beside `password`")] : []),
        ...(password === undefined ? [issue(["password"], "must be set beside `username`")] : []),
        ...(token === undefined ? [] : [issue(["token"], "must not be set beside `username`")]),
      ]
    : grantIssues(config);
  const places = [apiKeyHeader, apiKeyParameter].filter((place) => place !== undefined).length;
  if (apiKey !== undefined && places !== 1) {
    found.push(issue(["apiKey"], "needs one of `apiKeyHeader` and `apiKeyParameter`"));
  }
  if (apiKey === undefined && places > 0) {
    const place = apiKeyHeader === undefined ? "apiKeyParameter" : "apiKeyHeader";
    found.push(issue([place], "must not be set without `apiKey`"));
  }
  return found;
}

/** What is wrong with a stream that its shape does not tell. */
export function streamIssues(config: RestStreamConfig): SettingIssue[] {
  const { key, fields, modifiedAt, changes, assigned, etag, get, update } = config;
  const keys = typeof key === "string" ? [key] : key;
  const found: SettingIssue[] = [];
  for (const kind of ["list", "get", "create", "update", "delete"] as const) {
    const told = routeIssue(kind, config[kind], keys, assigned === true);
    if (told !== undefined) found.push(issue([kind], told));
  }
  if (assigned === true && keys.length > 1) {
    found.push(issue(["assigned"], "needs a key of one field"));
  }
  if (etag === true && get === undefined && (update ?? config.delete) !== undefined) {
    found.push(issue(["etag"], "needs `get`, since the answer for one record has its ETag"));
  }
  if (changes !== undefined && modifiedAt === undefined) {
    found.push(issue(["changes"], "needs `modifiedAt`, the field with the time of last change"));
  }
  for (const each of fields === undefined ? [] : [...keys, ...(modifiedAt ? [modifiedAt] : [])]) {
    if (fields?.[each] === undefined) found.push(issue(["fields"], `must have "${each}" too`));
  }
  return found;
}

function routeIssue(
  kind: keyof typeof METHODS,
  text: string | undefined,
  keys: readonly string[],
  isAssigned: boolean,
): string | undefined {
  const [, method, path] = ROUTE.exec(text ?? "") ?? [];
  if (path === undefined) return undefined;
  const methods: readonly string[] = METHODS[kind];
  if (method !== undefined && !methods.includes(method)) {
    return `must begin with ${methods.join(" or ")}, not ${method}`;
  }
  const places = placesIn(path);
  const strange = places.find((place) => !keys.includes(place));
  if (strange !== undefined) {
    return `has {${strange}}, which is no field of the key (${keys.join(", ")})`;
  }
  if (kind === "list" || (kind === "create" && isAssigned)) {
    if (places.length === 0) return undefined;
    return `must not have {${places[0]}}, since the key is not known then`;
  }
  const missing = keys.find((each) => !places.includes(each));
  return missing === undefined || kind === "create"
    ? undefined
    : `must have {${missing}} where the key stands`;
}

const METHODS = {
  list: ["GET"],
  get: ["GET"],
  create: ["POST", "PUT"],
  update: ["PATCH", "PUT", "POST"],
  delete: ["DELETE", "POST"],
} as const;
