import { Agent, type Dispatcher } from "undici";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { FileAnswer, FileSource } from "../../ports/files.ts";

/** How file servers are asked. */
export interface HttpSourceOptions {
  /** One file, its redirects and its whole body included, may take this long. */
  readonly timeoutMs: number;
  /** Connections to one server. */
  readonly connections: number;
  /** Headers for a request, such as a token; asked anew for every address, also of a redirect. */
  readonly headers?: (url: URL, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

const REDIRECTS_MAX = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Files over HTTP. Bodies come as they are stored: no compression is asked for. */
export function createHttpSource({
  timeoutMs,
  connections,
  headers: headersFor,
}: HttpSourceOptions): FileSource {
  const agent = new Agent({
    connections,
    connect: { timeout: Math.min(timeoutMs, 10_000) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const ask = async (address: string, signal: AbortSignal, given: AbortSignal) => {
    let url = new URL(address);
    for (let redirects = 0; ; redirects += 1) {
      const own = (await headersFor?.(url, given)) ?? {};
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: { "user-agent": "lockstep", "accept-encoding": "identity", ...own },
        signal,
      });
      const target = String(answer.headers["location"] ?? "");
      const isRedirect = REDIRECTS.has(answer.statusCode) && URL.canParse(target, url.href);
      if (!isRedirect || redirects === REDIRECTS_MAX) return answer;
      await answer.body.dump();
      url = new URL(target, url.href);
    }
  };

  return {
    async open(url, signal): Promise<FileAnswer> {
      signal.throwIfAborted();
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMs);
      const stop = (): void => deadline.abort();
      signal.addEventListener("abort", stop, { once: true });
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      };
      const fail = (error: unknown): never => {
        end();
        signal.throwIfAborted();
        throw translate(error, url, deadline.signal.aborted ? timeoutMs : undefined);
      };
      const answer = await ask(url, deadline.signal, signal).catch(fail);
      return {
        status: answer.statusCode,
        headers: plainHeaders(answer.headers),
        body: bodyOf(answer.body, end, fail),
        discard: () => {
          end();
          // The error of a body that is given up is told to nobody.
          answer.body.on("error", () => undefined);
          answer.body.destroy();
        },
      };
    },
    close: () => agent.destroy(),
  };
}

async function* bodyOf(
  body: Dispatcher.ResponseData["body"],
  end: () => void,
  fail: (error: unknown) => never,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    fail(error);
  } finally {
    end();
    body.destroy();
  }
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

/** The address is named without query: signatures stand there. */
function translate(error: unknown, address: string, timeoutMs: number | undefined): unknown {
  if (isSyncError(error)) return error;
  const { host } = new URL(address);
  const context = { url: address.replace(/[?#].*$/s, "") };
  if (timeoutMs !== undefined) {
    const message = `The file server at ${host} did not give the file within ${timeoutMs} ms.`;
    return new SyncError("CONNECTOR_TIMEOUT", message, { cause: error, context });
  }
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const why = REASONS[String(code)] ?? (error instanceof Error ? error.message : String(error));
  return new SyncError(
    "CONNECTOR_UNREACHABLE",
    `The file server at ${host} cannot be reached: ${why}.`,
    { cause: error, context },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name cannot be looked up now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  UND_ERR_SOCKET: "the connection was closed before the file was whole",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the file is shorter or longer than announced",
};
