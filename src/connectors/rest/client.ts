import { SyncError } from "../../model/sync-error.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "../../ports/http.ts";
import type { Clock } from "../../ports/runtime.ts";
import { authorizeHttp } from "../http/authorize.ts";
import { parseExactJson } from "../http/exact-json.ts";
import { redact } from "../http/redact.ts";
import {
  type Asked,
  errorOfBody,
  errorOfStatus,
  isHtml,
  serverWords,
} from "../http/vendor-errors.ts";
import { valueAt } from "./paths.ts";
import type { Reaction, RestSettings, RestStream } from "./settings.ts";

/** One request to the API. */
export interface Call {
  readonly method: HttpRequest["method"];
  /** Begins with a slash, or is a whole URL of the API's own origin. */
  readonly path: string;
  readonly parameters?: Parameters;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
}

export type Parameters = readonly (readonly [name: string, value: string])[];

/** An answer of success; `body` is undefined where there is none. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Of the request, without credentials. */
  readonly url: string;
}

/** An answer that is no success, and does not stop the run. */
export interface Refusal {
  readonly reaction: Exclude<Reaction, "retry" | "unauthorized">;
  /** The server's own words, without secrets. */
  readonly words: string;
  readonly url: string;
}

export interface RestClient {
  /** Any answer that is no success is thrown. */
  ask(stream: RestStream, call: Call, signal: AbortSignal): Promise<Answer>;
  /** Refusals of this one record are given; what stops the run is thrown. */
  tryTo(stream: RestStream, call: Call, signal: AbortSignal): Promise<Answer | Refusal>;
  /** The error of a success whose body is wrong; `why` goes on after "The answer". */
  wrong(stream: RestStream, answer: Answer, why: string): SyncError;
  /** A URL that the server gave, without credentials; throws PAGING_FOREIGN_ORIGIN. */
  sealed(stream: RestStream, url: string): string;
}

export const isRefusal = (answer: Answer | Refusal): answer is Refusal => "reaction" in answer;

export function createRestClient(
  settings: RestSettings,
  http: HttpTransport,
  clock: Clock,
): RestClient {
  const { url: root, grant, secrets, secretParameter } = settings;
  const transport = grant === undefined ? http : authorizeHttp(http, grant, clock);
  const { origin } = new URL(root);

  const asked = (stream: RestStream, url: string): Asked => ({
    url: redact(url, secrets),
    what: `stream "${stream.name}"`,
    stream: stream.name,
    secrets,
    nowMs: clock.now(),
  });
  const addressOf = ({ path, parameters = [] }: Call): { open: string; shown: string } => {
    const url = new URL(path.startsWith("/") ? root + path : path);
    for (const [name, value] of parameters) url.searchParams.append(name, value);
    const shown = url.href;
    if (secretParameter !== undefined) url.searchParams.set(...secretParameter);
    return { open: url.href, shown };
  };
  const send = async (
    stream: RestStream,
    call: Call,
    signal: AbortSignal,
  ): Promise<{ response: HttpResponse; shown: string }> => {
    signal.throwIfAborted();
    const { open, shown } = addressOf(call);
    if (new URL(open).origin !== origin) throw foreign(stream, open, origin);
    const headers = {
      accept: "application/json",
      ...settings.headers,
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      ...call.headers,
    };
    const { method, body } = call;
    const request = { method, url: open, headers, ...(body === undefined ? {} : { body }) };
    const response = await transport.send(request, signal);
    // What a write did is not known once its answer is thrown away: it is looked at all the same.
    if (method === "GET") signal.throwIfAborted();
    return { response, shown };
  };
  const answerOf = (stream: RestStream, response: HttpResponse, shown: string): Answer => {
    const { status, headers } = response;
    const wrong = (why: string): SyncError =>
      errorOfBody("CONNECTOR_BAD_RESPONSE", why, asked(stream, shown), status);
    return { status, headers, url: shown, body: parseBody(response, wrong) };
  };

  const tryTo: RestClient["tryTo"] = async (stream, call, signal) => {
    const { response, shown } = await send(stream, call, signal);
    const reaction = reactionTo(stream, response);
    if (reaction === undefined) return answerOf(stream, response, shown);
    if (reaction === "retry" || reaction === "unauthorized" || reaction === "stop") {
      throw thrown(response, reaction, asked(stream, shown));
    }
    const words = serverWords(response, secrets) ?? `status ${response.status}`;
    return { reaction, words, url: shown };
  };

  return {
    tryTo,
    async ask(stream, call, signal) {
      const { response, shown } = await send(stream, call, signal);
      if (response.status >= 200 && response.status <= 299) {
        return answerOf(stream, response, shown);
      }
      const reaction = stream.errors.get(String(response.status)) ?? "stop";
      throw thrown(response, reaction, asked(stream, shown));
    },
    wrong: (stream, { url, status }, why) =>
      errorOfBody("CONNECTOR_BAD_RESPONSE", why, asked(stream, url), status),
    sealed(stream, text) {
      const url = new URL(text, `${root}/`);
      if (url.origin !== origin) throw foreign(stream, url.href, origin);
      if (secretParameter !== undefined) url.searchParams.delete(secretParameter[0]);
      return url.href;
    },
  };
}

/** What the status, or the code in the body, stands for; nothing for a success. */
function reactionTo(
  { errors }: RestStream,
  { status, body }: HttpResponse,
): Reaction | "stop" | undefined {
  if (status >= 200 && status <= 299) return undefined;
  for (const code of codesOf(body)) {
    const known = errors.get(code);
    if (known !== undefined) return known;
  }
  return errors.get(String(status)) ?? REACTIONS[status] ?? "stop";
}

const REACTIONS: Readonly<Record<number, Reaction>> = {
  400: "rejected",
  404: "missing",
  409: "conflict",
  410: "missing",
  412: "conflict",
  422: "rejected",
};

/** The codes by which servers name an error, most exact first. */
function codesOf(text: string): readonly string[] {
  const body = tryParse(text);
  const paths = [["error", "code"], ["code"], ["error"], ["errors", "0", "code"]];
  return paths.flatMap((path) => {
    const code = valueAt(body, path);
    return typeof code === "string" || typeof code === "number" ? [String(code)] : [];
  });
}

function thrown(response: HttpResponse, reaction: Reaction | "stop", asked: Asked): SyncError {
  const error = errorOfStatus(response, asked);
  const { message, hint, context, retryAfterMs } = error;
  const options = {
    context,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (reaction === "retry" && error.intent !== "retry") {
    return new SyncError("CONNECTOR_UNAVAILABLE", message, options);
  }
  if (reaction === "unauthorized") {
    return new SyncError("CONNECTOR_UNAUTHORIZED", message, options);
  }
  return error;
}

function foreign({ name }: RestStream, url: string, origin: string): SyncError {
  return new SyncError(
    "PAGING_FOREIGN_ORIGIN",
    `A link of stream "${name}" leads to "${new URL(url).origin}"; only "${origin}" gets the credentials.`,
    { context: { stream: name } },
  );
}

function parseBody(response: HttpResponse, wrong: (why: string) => SyncError): unknown {
  const { body } = response;
  if (body.trim() === "") return undefined;
  if (isHtml(response)) throw wrong("is a web page, not JSON");
  const parsed = tryParse(body);
  if (parsed !== undefined) return parsed;
  const isCut = /^\s*[[{]/.test(body) && !/[\]}]\s*$/.test(body);
  throw wrong(isCut ? `is JSON that ends early, after ${body.length} characters` : "is no JSON");
}

/** The parser's own error quotes the body, which holds records: it goes no further than here. */
function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
