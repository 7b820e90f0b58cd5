import type { FieldWord } from "../../model/field-words.ts";
import type { GrantConfig } from "../http/grant-config.ts";
import type { Reaction, TimeFormat } from "./settings.ts";

/** A route as it is written: a path, after a method where it is not the usual one. */
export const ROUTE: RegExp = /^(?:(GET|POST|PUT|PATCH|DELETE) )?(\/\S*)$/;

export type PagingConfig =
  | { readonly style: "none" | "link"; readonly sizeParameter?: string; readonly size?: number }
  | {
      readonly style: "page" | "offset";
      readonly parameter: string;
      readonly sizeParameter: string;
      readonly size: number;
      readonly first?: number;
    }
  | {
      readonly style: "cursor" | "next";
      readonly parameter?: string;
      readonly from: string;
      readonly sizeParameter?: string;
      readonly size?: number;
    };

export type FieldConfig =
  | FieldWord
  | {
      readonly type: FieldWord;
      readonly path?: string;
      readonly readOnly?: boolean;
      readonly required?: boolean;
    };

export interface RestStreamConfig {
  readonly list: string;
  readonly get?: string;
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly records?: string;
  readonly record?: string;
  readonly total?: string;
  readonly key: string | readonly string[];
  readonly assigned?: boolean;
  readonly fields?: Readonly<Record<string, FieldConfig>>;
  readonly deleted?: string;
  readonly modifiedAt?: string;
  readonly paging?: PagingConfig;
  readonly changes?: string | { readonly parameter: string; readonly format?: TimeFormat };
  readonly keys?: string | { readonly parameter: string; readonly join?: "comma" | "repeat" };
  readonly etag?: boolean;
  readonly idempotency?: string;
  readonly decimals?: "number" | "text";
  readonly errors?: Readonly<Record<string, Reaction>>;
  readonly batch?: number;
}

/** A system of connector `rest` as a person configures it; secrets are texts, resolved. */
export interface RestConfig extends GrantConfig {
  readonly url: string;
  readonly apiKey?: string;
  readonly apiKeyHeader?: string;
  readonly apiKeyParameter?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly paging?: PagingConfig;
  readonly errors?: Readonly<Record<string, Reaction>>;
  readonly keysPerRead?: number;
  readonly concurrency?: number;
  readonly timeoutSeconds?: number;
  readonly streams: Readonly<Record<string, RestStreamConfig>>;
}
