import { isUtf8 } from "node:buffer";
import { Agent, type Dispatcher } from "undici";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "../../ports/http.ts";
import { decodeContent } from "./content-encoding.ts";
import { redact } from "./redact.ts";

export interface TransportOptions {
  /** A request, its redirects and its whole body included, may take this long. Default 60,000. */
  readonly timeoutMs?: number;
  /** Setting up a connection may take this long. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A body longer than this, unpacked, is refused. Default 256 MiB. */
  readonly bodyBytesMax?: number;
  /** Connections to one origin. Default 10. */
  readonly connections?: number;
  /** Shown to servers. Default `lockstep`. */
  readonly userAgent?: string;
}

const REDIRECTS_MAX = 5;
const MIB = 1024 * 1024;
type Headers = Readonly<Record<string, string>>;

/**
 * HTTP by undici: connections are reused, bodies unpacked (gzip, deflate, br). Redirects are
 * followed within the origin only, so that a token goes nowhere else; any other redirect is the
 * answer. Throws CONNECTOR_UNREACHABLE, CONNECTOR_TIMEOUT, CONNECTOR_BAD_RESPONSE for a body that
 * is too long or cannot be unpacked, CONNECTOR_CLOSED, or the signal's reason.
 */
export function createUndiciTransport(options: TransportOptions = {}): HttpTransport {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const bodyBytesMax = options.bodyBytesMax ?? 256 * MIB;
  const agent = new Agent({
    connections: options.connections ?? 10,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
    // The deadline below covers the whole request; undici's own would only name parts of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const userAgent = options.userAgent ?? "lockstep";
  let closed = false;

  const exchange = async (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> => {
    let { url } = request;
    for (let redirects = 0; ; redirects++) {
      const answer = await agent.request(requestOptions({ ...request, url }, userAgent, signal));
      const headers = plainHeaders(answer.headers);
      const target = redirectTarget(request, url, answer.statusCode, headers);
      if (target === undefined || redirects === REDIRECTS_MAX) {
        const raw = await readBody(answer.body, bodyBytesMax, url);
        const body = await textOf(raw, headers, answer.statusCode, bodyBytesMax, url);
        return { status: answer.statusCode, headers, body, bytes: raw.length };
      }
      await answer.body.dump();
      url = target;
    }
  };

  return {
    async send(request, signal) {
      signal.throwIfAborted();
      if (closed) throw new SyncError("CONNECTOR_CLOSED", "The HTTP transport is closed.");
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      const stop = (): void => deadline.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        return await exchange(request, deadline.signal);
      } catch (error) {
        signal.throwIfAborted();
        throw translate(error, request.url, deadline.signal.aborted, timeoutMs);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await agent.destroy();
    },
  };
}

function requestOptions(
  request: HttpRequest,
  userAgent: string,
  signal: AbortSignal,
): Dispatcher.RequestOptions {
  const { origin, pathname, search } = new URL(request.url);
  return {
    origin,
    path: pathname + search,
    method: request.method,
    headers: {
      "user-agent": userAgent,
      "accept-encoding": "gzip, deflate, br",
      ...request.headers,
    },
    signal,
    ...(request.body === undefined ? {} : { body: request.body }),
  };
}

/** Where to go on, for a redirect of a GET within the origin. */
function redirectTarget(
  request: HttpRequest,
  url: string,
  status: number,
  headers: Headers,
): string | undefined {
  const location = headers["location"];
  if (request.method !== "GET" || location === undefined) return undefined;
  if (![301, 302, 303, 307, 308].includes(status) || !URL.canParse(location, url)) return undefined;
  const target = new URL(location, url);
  return target.origin === new URL(url).origin ? target.href : undefined;
}

async function readBody(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  url: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw badBody(url, `is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

async function textOf(
  raw: Buffer,
  headers: Headers,
  status: number,
  bytesMax: number,
  url: string,
): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await decodeContent(raw, headers["content-encoding"] ?? "", bytesMax);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badBody(url, `cannot be unpacked (${why})`);
  }
  const charset = /charset="?([^\s;"]+)/i.exec(headers["content-type"] ?? "")?.[1] ?? "utf-8";
  if (/^(?:utf-?8|us-ascii)$/i.test(charset)) {
    // A replacement character would pass for the record's own text.
    if (status < 300 && !isUtf8(bytes)) throw badBody(url, "is not UTF-8");
    return bytes.toString("utf8").replace(/^\uFEFF/, "");
  }
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (error) {
    throw badBody(url, `has the unknown charset "${charset}"`, error);
  }
}

function badBody(url: string, why: string, cause?: unknown): SyncError {
  const shown = redact(url, []);
  return new SyncError("CONNECTOR_BAD_RESPONSE", `The body from ${hostOf(url)} ${why}.`, {
    context: { url: shown },
    ...(cause === undefined ? {} : { cause }),
  });
}

function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

const TIMEOUT_CODES = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);

/** What a failed exchange was; undici's errors hold no header, so they may stay as cause. */
function translate(error: unknown, url: string, isLate: boolean, timeoutMs: number): unknown {
  if (isSyncError(error)) return error;
  const context = { url: redact(url, []) };
  const host = hostOf(url);
  const code = codeOf(error);
  if (isLate || TIMEOUT_CODES.has(code ?? "")) {
    const limit = isLate ? ` within ${timeoutMs} ms` : "";
    return new SyncError("CONNECTOR_TIMEOUT", `The server at ${host} did not answer${limit}.`, {
      cause: error,
      context,
    });
  }
  const why = REASONS[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
  return new SyncError(
    "CONNECTOR_UNREACHABLE",
    `The server at ${host} cannot be reached: ${why}.`,
    {
      cause: error,
      context,
    },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name cannot be looked up now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  UND_ERR_SOCKET: "the connection was closed before the answer was whole",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the answer is shorter or longer than announced",
};

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an unreadable address";
}
