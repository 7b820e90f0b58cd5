import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Answer } from "./answer.ts";
import { errorAnswer, jsonAnswer } from "./answer.ts";
import type { FaultRequest } from "./faults.ts";
import type { NextLinkOverride, ODataService } from "./odata-service.ts";
import { WITHDRAWN_MS } from "./plays.ts";
import { RequestError } from "./request-error.ts";
import type { ServerState } from "./server-state.ts";

/** Path of the service root. */
export const SERVICE_PATH = "/reso/odata";

const HTML = "<!doctype html><html><body><h1>Scheduled maintenance</h1></body></html>";
const ELSEWHERE = "https://elsewhere.example/reso/odata/Property?$skip=200";

/** Handles requests to the service: token, throttle and faults around the OData answers. */
export class HttpHandler {
  readonly #state: ServerState;
  readonly #service: ODataService;
  readonly #closing: AbortSignal;

  constructor(state: ServerState, service: ODataService, closing: AbortSignal) {
    this.#state = state;
    this.#service = service;
    this.#closing = closing;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitTarget(request.url ?? "/");
    const target = query === "" ? path : `${path}?${decodeLoosely(query)}`;
    this.#state.counter.request(path, target);
    if (!this.#state.crowd.enter()) {
      this.#send(response, errorAnswer(503, "Too many requests at a time"));
      return;
    }
    try {
      await this.#admitted(request, response, { path, query, target });
    } finally {
      this.#state.crowd.leave();
    }
  }

  async #admitted(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query, target }: { path: string; query: string; target: string },
  ): Promise<void> {
    if (this.#state.latencyMs > 0) {
      await delay(this.#state.latencyMs, undefined, { signal: this.#closing });
    }
    if (!this.#state.throttle.admits(this.#state.clock.nowMs())) {
      this.#send(response, errorAnswer(429, "Too many requests", { "Retry-After": "1" }));
      return;
    }
    const { isIn, headers } = this.#state.quota.admit(this.#state.clock.nowMs());
    for (const [name, value] of Object.entries(headers)) {
      response.setHeader(name, value);
    }
    if (!isIn) {
      this.#send(response, errorAnswer(429, "The quota is used up"));
      return;
    }
    const isGzip = this.#state.store.data.plays === "mlsgrid";
    if (isGzip && !/\bgzip\b/.test(String(request.headers["accept-encoding"]))) {
      this.#send(response, errorAnswer(400, "COMPRESSION REQUIRED"));
      return;
    }
    const fault = this.#state.faults.take(target);
    if (fault?.kind === "hang" || fault?.kind === "reset") {
      this.#state.counter.response(fault.kind, 0);
      if (fault.kind === "reset") {
        request.socket.resetAndDestroy();
      }
      return;
    }
    const answer = this.#answer(request, { path, query }, fault);
    this.#send(response, isGzip ? zipped(answer) : answer, fault?.kind === "cut");
  }

  #answer(
    request: IncomingMessage,
    target: { readonly path: string; readonly query: string },
    fault: FaultRequest | undefined,
  ): Answer {
    const instead = fault === undefined ? undefined : this.#substitute(fault);
    if (instead !== undefined) {
      return instead;
    }
    try {
      this.#admit(request);
      this.#state.store.forgetWithdrawn((this.#state.clock.nowMs() - WITHDRAWN_MS) * 1000);
      const prefer = request.headers["prefer"];
      const answer = this.#service.answer(
        { ...target, prefer: Array.isArray(prefer) ? prefer.join() : prefer },
        override(fault),
      );
      const { files } = this.#state;
      const shown =
        files === undefined
          ? answer
          : { ...answer, body: files.rewrite(answer.body, `http://${request.headers.host}`) };
      return fault === undefined ? shown : spoil(shown, fault);
    } catch (error) {
      if (error instanceof RequestError) {
        return errorAnswer(error.status, error.message);
      }
      return errorAnswer(500, `Internal error: ${String(error)}`);
    }
  }

  #admit(request: IncomingMessage): void {
    if (!this.#state.auth.admits(request.headers.authorization, this.#state.clock.nowMs())) {
      throw new RequestError(this.#state.behavior.authFailureStatus, "Unauthorized");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new RequestError(405, "Method not allowed");
    }
    if (!(request.url ?? "").startsWith(SERVICE_PATH)) {
      throw new RequestError(404, "Not found");
    }
  }

  #substitute(fault: FaultRequest): Answer | undefined {
    if (fault.kind === "html") {
      const body = Buffer.from(HTML);
      return { status: 200, contentType: "text/html", body, headers: {} };
    }
    if (fault.kind === "error-body") {
      return errorAnswer(200, "Internal database error");
    }
    if (fault.kind !== "status") {
      return undefined;
    }
    const headers: Record<string, string> = {};
    if (fault.retryAfter !== undefined) {
      const date = new Date(this.#state.clock.nowMs() + fault.retryAfter * 1000).toUTCString();
      headers["Retry-After"] = fault.retryAfterAsDate === true ? date : String(fault.retryAfter);
    }
    const status = fault.status ?? 500;
    return fault.body === undefined
      ? errorAnswer(status, "The server had trouble", headers)
      : jsonAnswer(status, fault.body, headers);
  }

  #send(response: ServerResponse, answer: Answer, isCut = false): void {
    const { body } = answer;
    this.#state.counter.response(answer.status, isCut ? body.length >> 1 : body.length);
    response.sendDate = false;
    response.writeHead(answer.status, {
      "OData-Version": "4.0",
      "Content-Type": answer.contentType,
      "Content-Length": body.length,
      Date: new Date(this.#state.clock.nowMs()).toUTCString(),
      ...answer.headers,
    });
    if (isCut) {
      response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    } else {
      response.end(body);
    }
  }
}

function zipped(answer: Answer): Answer {
  const headers = { ...answer.headers, "Content-Encoding": "gzip" };
  return { ...answer, body: gzipSync(answer.body), headers };
}

function override(fault: FaultRequest | undefined): NextLinkOverride | undefined {
  switch (fault?.kind) {
    case "next-loop":
      return (self) => self;
    case "next-elsewhere":
      return () => fault.nextLink ?? ELSEWHERE;
    case "empty-page":
      return continuation;
    default:
      return undefined;
  }
}

/** The same request with a custom option, which the service ignores: a link of its own each time. */
function continuation(self: string): string {
  const [, times = "0"] = /[?&]continued=(\d+)/.exec(self) ?? [];
  const plain = self.replace(/[?&]continued=\d+/, "");
  return `${plain}${plain.includes("?") ? "&" : "?"}continued=${Number(times) + 1}`;
}

function spoil(answer: Answer, fault: FaultRequest): Answer {
  if (fault.kind === "truncate") {
    return { ...answer, body: answer.body.subarray(0, answer.body.length >> 1) };
  }
  if (fault.kind === "malformed") {
    return { ...answer, body: Buffer.from('{"value":[{"ListPrice":,}]}') };
  }
  if (fault.kind === "miscount") {
    const text = answer.body.toString();
    const wrong = text.replace(
      /"@odata.count":(\d+)/,
      (_, n) => `"@odata.count":${Number(n) + 1000}`,
    );
    return { ...answer, body: Buffer.from(wrong) };
  }
  if (fault.kind === "duplicate") {
    return { ...answer, body: Buffer.from(doubled(answer.body.toString())) };
  }
  if (fault.kind === "empty-page" && answer.status === 200) {
    const page = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    return { ...answer, body: Buffer.from(JSON.stringify({ ...page, value: [] })) };
  }
  return answer;
}

/** Rows stand one after the other as objects; numbers in them must stay as they are written. */
function doubled(text: string): string {
  const start = text.indexOf('"value":[') + '"value":['.length;
  if (start < '"value":['.length) {
    return text;
  }
  let result = text.slice(0, start);
  let depth = 0;
  let from = start;
  let isText = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (isText) {
      at += char === "\\" ? 1 : 0;
      isText = char !== '"';
    } else if (char === '"') {
      isText = true;
    } else if (char === "{" || char === "[") {
      from = depth === 0 ? at : from;
      depth += 1;
    } else if (char === "}" || char === "]") {
      if (depth === 0) {
        return result + text.slice(at);
      }
      depth -= 1;
      if (depth === 0) {
        const row = text.slice(from, at + 1);
        result += `${result.endsWith("[") && from === start ? "" : ","}${row},${row}`;
      }
    }
  }
  return text;
}

function splitTarget(url: string): { path: string; query: string } {
  const mark = url.includes("?") ? url.indexOf("?") : url.length;
  const path = url.slice(0, mark).replace(SERVICE_PATH, "");
  return { path: decodeLoosely(path), query: url.slice(mark + 1) };
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
