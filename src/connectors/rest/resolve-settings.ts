import type { HttpRequest } from "../../ports/http.ts";
import { grantOf } from "../http/grant-config.ts";
import {
  type FieldConfig,
  type PagingConfig,
  type RestConfig,
  type RestStreamConfig,
  ROUTE,
} from "./config-types.ts";
import type { Paging, RestField, RestSettings, RestStream, Route } from "./settings.ts";

/** Fills in every default; the configuration was found good. */
export function resolveRestSettings(config: RestConfig): RestSettings {
  const { token, username, password, apiKey, apiKeyHeader, apiKeyParameter, headers } = config;
  const isBasic = config.grant === undefined && username !== undefined;
  const basic = isBasic
    ? Buffer.from(`${username}:${password ?? ""}`).toString("base64")
    : undefined;
  const { grant } = grantOf(config);
  const secrets = [token, username, password, apiKey, basic, config.clientSecret];
  return {
    url: config.url.replace(/\/+$/, ""),
    headers: {
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
      ...(apiKey === undefined || apiKeyHeader === undefined ? {} : { [apiKeyHeader]: apiKey }),
    },
    ...(apiKey === undefined || apiKeyParameter === undefined
      ? {}
      : { secretParameter: [apiKeyParameter, apiKey] as const }),
    ...(grant === undefined ? {} : { grant }),
    secrets: secrets.filter((secret) => secret !== undefined),
    keysPerRead: config.keysPerRead ?? 50,
    concurrency: config.concurrency ?? 2,
    streams: new Map(
      Object.entries(config.streams).map(([stream, own]) => [
        stream,
        streamOf(stream, own, config),
      ]),
    ),
  };
}

function streamOf(stream: string, own: RestStreamConfig, config: RestConfig): RestStream {
  const { changes, keys, idempotency, modifiedAt, records, record, total, deleted } = own;
  return {
    name: stream,
    ...routesOf(own),
    ...(records === undefined ? {} : { records }),
    ...(record === undefined ? {} : { record }),
    ...(total === undefined ? {} : { total }),
    key: typeof own.key === "string" ? [own.key] : own.key,
    assigned: own.assigned ?? false,
    fields: new Map(
      Object.entries(own.fields ?? {}).map(([field, told]) => [field, fieldOf(field, told)]),
    ),
    infer: own.fields === undefined,
    ...(deleted === undefined ? {} : { deleted: deleted.split(".") }),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    paging: pagingOf(own.paging ?? config.paging ?? { style: "none" }),
    ...(changes === undefined
      ? {}
      : {
          changes:
            typeof changes === "string"
              ? { parameter: changes, format: "iso" }
              : { format: "iso", ...changes },
        }),
    ...(keys === undefined
      ? {}
      : {
          keys:
            typeof keys === "string"
              ? { parameter: keys, join: "comma" }
              : { join: "comma", ...keys },
        }),
    etag: own.etag ?? false,
    ...(idempotency === undefined ? {} : { idempotency }),
    decimals: own.decimals ?? "number",
    errors: new Map(Object.entries({ ...config.errors, ...own.errors })),
    batch: own.batch ?? 20,
  };
}

function routesOf(
  own: RestStreamConfig,
): Pick<RestStream, "list" | "get" | "create" | "update" | "delete"> {
  return {
    list: routeOf(own.list, "GET"),
    ...(own.get === undefined ? {} : { get: routeOf(own.get, "GET") }),
    ...(own.create === undefined ? {} : { create: routeOf(own.create, "POST") }),
    ...(own.update === undefined ? {} : { update: routeOf(own.update, "PATCH") }),
    ...(own.delete === undefined ? {} : { delete: routeOf(own.delete, "DELETE") }),
  };
}

function routeOf(text: string, method: HttpRequest["method"]): Route {
  const [, given, path = "/"] = ROUTE.exec(text) ?? [];
  return { method: (given as HttpRequest["method"] | undefined) ?? method, path };
}

function fieldOf(field: string, told: FieldConfig): RestField {
  const { type, path, readOnly, required } = typeof told === "string" ? { type: told } : told;
  return {
    word: type,
    path: path === undefined ? [field] : path.split("."),
    readOnly: readOnly ?? false,
    required: required ?? false,
  };
}

function pagingOf(config: PagingConfig): Paging {
  const { sizeParameter, size: value } = config as { sizeParameter?: string; size?: number };
  const sized =
    sizeParameter === undefined || value === undefined
      ? {}
      : { size: { parameter: sizeParameter, value } };
  switch (config.style) {
    case "page":
    case "offset": {
      const { parameter, first } = config;
      const needed = { parameter: config.sizeParameter, value: config.size };
      return config.style === "offset"
        ? { style: "offset", parameter, size: needed }
        : { style: "page", parameter, first: first ?? 1, size: needed };
    }
    case "cursor":
      return { style: "cursor", parameter: config.parameter ?? "", from: config.from, ...sized };
    case "next":
      return { style: "next", from: config.from, ...sized };
    case "link":
      return { style: "link", ...sized };
    case "none":
      return { style: "none", size: value ?? 500 };
  }
}
