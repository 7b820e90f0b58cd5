import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SampleControl } from "./control.ts";
import type { ServerState } from "./server-state.ts";

/** Prefix of the control routes. */
export const CONTROL_PATH = "/control/";

const BODY_MAX = 1024 * 1024;

const METHODS: ReadonlySet<string> = new Set<keyof SampleControl>([
  "edit",
  "editMany",
  "add",
  "delete",
  "hide",
  "unhide",
  "addOpenHouse",
  "changePhotos",
  "configureFiles",
  "lateCommit",
  "corrupt",
  "fail",
  "heal",
  "slow",
  "throttle",
  "crowd",
  "quota",
  "expireToken",
  "revokeTokens",
  "forgetEvents",
  "configure",
  "advance",
  "live",
  "stats",
  "resetStats",
]);

/**
 * Serves the control over HTTP, without a token, for tests and demos in other processes:
 * `POST /control/<method>` with the argument as JSON answers `{"result": ...}`;
 * `GET /control/stats`, `GET /control/count/<set>` and `GET /control/truth/<set>` (one record a
 * line) read.
 */
export async function handleControl(
  state: ServerState,
  control: SampleControl,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [name = "", set = ""] = (request.url ?? "").slice(CONTROL_PATH.length).split("/");
  try {
    if (request.method === "GET" && name === "truth" && state.store.has(set)) {
      response.writeHead(200, { "Content-Type": "application/x-ndjson" });
      await pipeline(Readable.from(truthLines(state, set)), response);
      return;
    }
    const result =
      request.method === "GET" && name === "count"
        ? state.store.table(set).visibleRows
        : call(control, name, await readArgument(request));
    send(response, 200, { result });
  } catch (error) {
    if (!response.headersSent) {
      send(response, 400, { error: { message: (error as Error).message } });
    }
  }
}

function call(control: SampleControl, name: string, argument: unknown): unknown {
  if (!METHODS.has(name)) {
    throw new RangeError(`Control has no '${name}': expected one of ${[...METHODS].join(", ")}.`);
  }
  // The methods check what they are given; a wrong argument throws and is answered with 400.
  const methods = control as unknown as Record<string, (argument: unknown) => unknown>;
  return methods[name]?.(argument) ?? null;
}

async function readArgument(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_MAX) {
      throw new RangeError("The body is larger than a mebibyte.");
    }
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : JSON.parse(text);
}

function* truthLines(state: ServerState, set: string): Generator<string> {
  let lines = "";
  for (const record of state.store.truth(set, state.behavior.lookups)) {
    lines += `${JSON.stringify(record)}\n`;
    if (lines.length > 64 * 1024) {
      yield lines;
      lines = "";
    }
  }
  yield lines;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
