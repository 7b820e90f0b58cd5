import type { FieldWord } from "../../model/field-words.ts";
import type { HttpRequest } from "../../ports/http.ts";
import type { TokenGrant } from "../http/authorize.ts";

/** How an API of JSON over HTTP is asked. Every default is filled in, every secret resolved. */
export interface RestSettings {
  /** Without a slash at the end. */
  readonly url: string;
  /** Sent with every request, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** A parameter of every request that holds a credential; kept out of cursors and messages. */
  readonly secretParameter?: readonly [name: string, value: string];
  readonly grant?: TokenGrant;
  /** Texts that nobody may see. */
  readonly secrets: readonly string[];
  readonly keysPerRead: number;
  readonly concurrency: number;
  readonly streams: ReadonlyMap<string, RestStream>;
}

export interface Route {
  readonly method: HttpRequest["method"];
  /** Begins with a slash; `{field}` stands for the value of a key field. */
  readonly path: string;
}

export interface RestStream {
  readonly name: string;
  readonly list: Route;
  readonly get?: Route;
  readonly create?: Route;
  readonly update?: Route;
  readonly delete?: Route;
  /** Where the list stands in an answer, and where one record does; absent: found by its shape. */
  readonly records?: string;
  readonly record?: string;
  readonly total?: string;
  readonly key: readonly string[];
  /** The system makes the keys. */
  readonly assigned: boolean;
  /** Absent: told from a sample. */
  readonly fields: ReadonlyMap<string, RestField>;
  readonly infer: boolean;
  /** Where a record says that it is deleted, though the API still gives it. */
  readonly deleted?: readonly string[];
  readonly modifiedAt?: string;
  readonly paging: Paging;
  readonly changes?: { readonly parameter: string; readonly format: TimeFormat };
  readonly keys?: { readonly parameter: string; readonly join: "comma" | "repeat" };
  /** Conditional writes by ETag and If-Match. */
  readonly etag: boolean;
  readonly idempotency?: string;
  readonly decimals: "number" | "text";
  readonly errors: ReadonlyMap<string, Reaction>;
  readonly batch: number;
}

export interface RestField {
  readonly word: FieldWord;
  /** Where it stands in a record: names parted by points. */
  readonly path: readonly string[];
  readonly readOnly: boolean;
  readonly required: boolean;
}

export type TimeFormat = "iso" | "iso-seconds" | "epoch-seconds" | "epoch-ms" | "date";

export type Reaction = "rejected" | "conflict" | "retry" | "unauthorized" | "missing";

/** How a list goes on. `size` is how many records to ask for, where the API takes that. */
export type Paging =
  /** All at once; `size` is how many records Lockstep handles at a time. */
  | { readonly style: "none"; readonly size: number }
  | {
      readonly style: "page";
      readonly parameter: string;
      readonly first: number;
      readonly size: PageSize;
    }
  | { readonly style: "offset"; readonly parameter: string; readonly size: PageSize }
  | {
      readonly style: "cursor";
      readonly parameter: string;
      /** `header:NAME`, or a path in the answer. */
      readonly from: string;
      readonly size?: PageSize;
    }
  | { readonly style: "link"; readonly size?: PageSize }
  | { readonly style: "next"; readonly from: string; readonly size?: PageSize };

export interface PageSize {
  readonly parameter: string;
  readonly value: number;
}
