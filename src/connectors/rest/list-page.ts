import type { Answer, Parameters, RestClient } from "./client.ts";
import type { RestStream } from "./settings.ts";

/** Rows of a list, and where it goes on after them. */
export interface ListPage {
  readonly rows: readonly unknown[];
  readonly answer: Answer;
  readonly next: ListPlace;
}

/** A place in a list, JSON-safe: after what was given, or at its end. */
export type ListPlace =
  | { readonly at: "start" }
  | { readonly at: "end" }
  /** By a token or a URL of the server's. */
  | { readonly at: "token"; readonly token: string }
  | Position;

/** By number; `last` are the identities of the last rows given, newest last. */
export interface Position {
  readonly at: "position";
  readonly count: number;
  readonly last: readonly string[];
  /** Greatest number of rows that an answer may have. */
  readonly size: number;
}

export interface ListAsk {
  readonly client: RestClient;
  readonly stream: RestStream;
  readonly parameters: Parameters;
  readonly identity: (raw: unknown) => string;
  readonly signal: AbortSignal;
}
