import type { ErrorCode } from "../../model/error-codes.ts";
import { retryAfterMs } from "../../model/retry-after.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { HttpResponse } from "../../ports/http.ts";
import { redact } from "./redact.ts";

/** What an answer was an answer to. */
export interface Asked {
  readonly url: string;
  /** What was asked for, in words that follow "for": `stream "Property"`. */
  readonly what: string;
  readonly stream?: string;
  /** Texts that no message may hold, such as the token. */
  readonly secrets: readonly string[];
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

const WORDS_MAX = 300;

/** The SyncError of an answer with a status other than success. */
export function errorOfStatus(response: HttpResponse, asked: Asked): SyncError {
  const { status } = response;
  if (status >= 300 && status < 400) return redirected(response, asked);
  const { code, hint } = reactionTo(status);
  const wait = retryAfterMs(response.headers, asked.nowMs);
  const words = serverWords(response, asked.secrets);
  const said = words === undefined ? "" : `: "${words}"`;
  return new SyncError(code, `The server answered ${status} for ${asked.what}${said}.`, {
    context: contextOf(asked, status),
    ...(hint === undefined ? {} : { hint }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

/** The SyncError of a success whose body is not what the protocol says. `why` ends the sentence. */
export function errorOfBody(code: ErrorCode, why: string, asked: Asked, status: number): SyncError {
  return new SyncError(code, `The answer for ${asked.what} ${redact(why, asked.secrets)}.`, {
    context: contextOf(asked, status),
  });
}

/**
 * The server's own words on an error: of a JSON body its message and details, of anything else its
 * text without markup. Shortened, secrets taken out.
 */
export function serverWords(
  response: HttpResponse,
  secrets: readonly string[],
): string | undefined {
  const text = wordsOfJson(response.body) ?? wordsOfText(response.body);
  const clean = redact(text.replace(/\s+/g, " ").trim(), secrets);
  if (clean === "") return undefined;
  return clean.length > WORDS_MAX ? `${clean.slice(0, WORDS_MAX)}…` : clean;
}

/** The message of an error object as OData, RESO and others write it. */
export function errorMessageOf(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const { error, message, fault } = body;
  if (isObject(error)) {
    const details = Array.isArray(error["details"]) ? error["details"] : [];
    const parts = [error, ...details].map((part) =>
      wordsOf(isObject(part) ? part["message"] : part),
    );
    const code = wordsOf(error["code"]);
    return parts.filter((part) => part !== "").join("; ") || code || JSON.stringify(error);
  }
  if (isObject(fault)) return wordsOf(fault["faultstring"]) || JSON.stringify(fault);
  if (typeof error === "string" && error !== "") {
    const described = wordsOf(body["error_description"]) || wordsOf(message);
    return described === "" ? error : `${error}: ${described}`;
  }
  return wordsOf(message) || undefined;
}

/** True for an answer that is a web page, whatever its type says. */
export function isHtml(response: HttpResponse): boolean {
  const type = response.headers["content-type"] ?? "";
  return /\bhtml\b/i.test(type) || /^\s*<(?:!doctype html|html|head|body)\b/i.test(response.body);
}

function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  // OData 3 wraps the message: {"lang": "en", "value": "..."}.
  return isObject(value) && typeof value["value"] === "string" ? value["value"] : "";
}

function wordsOfJson(body: string): string | undefined {
  try {
    return errorMessageOf(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function wordsOfText(body: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(body)?.[1];
  if (title !== undefined) return title;
  return body
    .slice(0, 4000)
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ");
}

interface Reaction {
  readonly code: ErrorCode;
  readonly hint?: string;
}

const TOO_LONG: Reaction = {
  code: "CONNECTOR_BAD_REQUEST",
  hint: "Lower `urlLengthMax` or `keysPerRead`, or select fewer fields.",
};

const REACTIONS: Readonly<Record<number, Reaction>> = {
  401: { code: "CONNECTOR_UNAUTHORIZED" },
  403: { code: "CONNECTOR_UNAUTHORIZED" },
  404: { code: "CONNECTOR_NOT_FOUND" },
  407: { code: "CONNECTOR_UNAUTHORIZED", hint: "A proxy asks for credentials; check the network." },
  408: { code: "CONNECTOR_TIMEOUT" },
  410: { code: "CONNECTOR_NOT_FOUND" },
  413: { code: "CONNECTOR_BAD_REQUEST", hint: "Lower `pageSize`, or select fewer fields." },
  414: TOO_LONG,
  425: { code: "CONNECTOR_RATE_LIMITED" },
  429: { code: "CONNECTOR_RATE_LIMITED" },
  431: TOO_LONG,
  501: { code: "CONNECTOR_UNSUPPORTED", hint: "Read the system's own words in the message." },
};

function reactionTo(status: number): Reaction {
  const known = REACTIONS[status];
  if (known !== undefined) return known;
  if (status >= 500) return { code: "CONNECTOR_UNAVAILABLE" };
  return { code: status >= 400 ? "CONNECTOR_BAD_REQUEST" : "CONNECTOR_BAD_RESPONSE" };
}

/** Redirects within the origin are followed by the transport; this one leads elsewhere. */
function redirected(response: HttpResponse, asked: Asked): SyncError {
  const target = response.headers["location"] ?? "";
  const origin = URL.canParse(target) ? new URL(target).origin : target;
  return new SyncError(
    "CONNECTOR_NOT_FOUND",
    `The server redirects ${asked.what} to "${redact(origin, asked.secrets)}", which is another origin and gets no token.`,
    {
      context: contextOf(asked, response.status),
      hint: "Set `url` to the address that the service has moved to, if you trust it.",
    },
  );
}

function contextOf(asked: Asked, status: number): SyncError["context"] {
  return {
    url: redact(asked.url, asked.secrets),
    status,
    ...(asked.stream === undefined ? {} : { stream: asked.stream }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
