import { SyncError } from "../../model/sync-error.ts";
import type { HttpResponse, HttpTransport } from "../../ports/http.ts";
import type { Clock } from "../../ports/runtime.ts";
import { authorizeHttp, secretsOf } from "../http/authorize.ts";
import { parseExactJson } from "../http/exact-json.ts";
import {
  type Asked,
  errorMessageOf,
  errorOfBody,
  errorOfStatus,
  isHtml,
} from "../http/vendor-errors.ts";
import type { OdataSettings } from "./settings.ts";

/** What a request is for, as errors name it. */
export interface Purpose {
  readonly what: string;
  readonly stream?: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export interface JsonAnswer {
  readonly body: JsonObject;
  readonly response: HttpResponse;
}

/** Sends requests with the token and turns every answer that is not what was asked into an error. */
export interface OdataClient {
  /** A JSON object; an error in it throws CONNECTOR_ERROR_BODY. */
  json(url: string, purpose: Purpose, signal: AbortSignal): Promise<JsonAnswer>;
  /** Any successful body. */
  text(url: string, accept: string, purpose: Purpose, signal: AbortSignal): Promise<HttpResponse>;
  /** The error of a successful answer whose body is wrong; `why` goes on after "The answer". */
  wrong(response: HttpResponse, url: string, purpose: Purpose, why: string): SyncError;
  /** A URL with the token taken out, to be stored, and the way back. */
  sealed(url: string): string;
  opened(url: string): string;
}

const TOKEN_MARK = "{token}";

/** The client never follows a URL of another origin than the service's: it would carry the token. */
export function createOdataClient(
  settings: OdataSettings,
  http: HttpTransport,
  clock: Clock,
): OdataClient {
  const { grant } = settings;
  const transport = grant === undefined ? http : authorizeHttp(http, grant, clock);
  const secrets = [
    ...(settings.token === undefined ? [] : [settings.token]),
    ...(grant === undefined ? [] : secretsOf(grant)),
  ];
  const { origin } = new URL(settings.url);
  const asked = (url: string, { what, stream }: Purpose): Asked => ({
    url,
    what,
    secrets,
    nowMs: clock.now(),
    ...(stream === undefined ? {} : { stream }),
  });

  const send = async (
    url: string,
    accept: string,
    purpose: Purpose,
    signal: AbortSignal,
  ): Promise<HttpResponse> => {
    signal.throwIfAborted();
    const target = new URL(url).origin;
    if (target !== origin) throw foreignOrigin(target, origin, purpose);
    const response = await transport.send(
      { method: "GET", url, headers: headersOf(settings, accept) },
      signal,
    );
    signal.throwIfAborted();
    if (response.status < 200 || response.status > 299) {
      throw errorOfStatus(response, asked(url, purpose));
    }
    return response;
  };

  const wrong: OdataClient["wrong"] = (response, url, purpose, why) =>
    errorOfBody("CONNECTOR_BAD_RESPONSE", why, asked(url, purpose), response.status);

  return {
    text: send,
    wrong,
    sealed: (url) => (settings.token ? url.replaceAll(settings.token, TOKEN_MARK) : url),
    opened: (url) => url.replaceAll(TOKEN_MARK, settings.token ?? ""),
    async json(url, purpose, signal) {
      const response = await send(url, "application/json", purpose, signal);
      const body = parseBody(response, (why) => wrong(response, url, purpose, why));
      const message = "value" in body && !("error" in body) ? undefined : errorMessageOf(body);
      if (message !== undefined) {
        const why = `is an error with status ${response.status}: "${message.slice(0, 300)}"`;
        throw errorOfBody("CONNECTOR_ERROR_BODY", why, asked(url, purpose), response.status);
      }
      return { body, response };
    },
  };
}

function foreignOrigin(target: string, origin: string, { what, stream }: Purpose): SyncError {
  return new SyncError(
    "PAGING_FOREIGN_ORIGIN",
    `The next link of ${what} leads to "${target}"; only "${origin}" gets the token.`,
    { context: stream === undefined ? {} : { stream } },
  );
}

function headersOf(settings: OdataSettings, accept: string): Readonly<Record<string, string>> {
  const { pageSize, token } = settings;
  return {
    accept,
    "odata-maxversion": "4.0",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(pageSize === undefined ? {} : { prefer: `odata.maxpagesize=${pageSize}` }),
  };
}

function parseBody(response: HttpResponse, wrong: (why: string) => SyncError): JsonObject {
  const { body } = response;
  if (isHtml(response)) throw wrong("is a web page, not JSON");
  if (body.trim() === "") throw wrong("is empty");
  const parsed = tryParse(body);
  if (parsed === undefined) {
    const isCut = /^\s*[[{]/.test(body) && !/[\]}]\s*$/.test(body);
    throw wrong(isCut ? `is JSON that ends early, after ${body.length} characters` : "is no JSON");
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed as JsonObject;
  }
  throw wrong("is JSON, but no object");
}

/** The parser's own error quotes the body, which holds records: it goes no further than here. */
function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
