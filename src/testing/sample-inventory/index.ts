import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { admit, tokenAnswer } from "./admission.ts";
import { type Api, type ApiAnswer, createApi } from "./api.ts";
import { ApiError, printJson } from "./item-json.ts";
import type { InventoryFault, InventoryItem, SampleInventoryOptions } from "./options.ts";
import { createStore, type ItemValues } from "./store.ts";

export type {
  InventoryAuth,
  InventoryFault,
  InventoryItem,
  InventoryPaging,
  SampleInventoryOptions,
} from "./options.ts";
export type { ItemValues } from "./store.ts";

/** A request that came, for tests. */
export interface InventoryRequest {
  readonly method: string;
  /** With its parameters. */
  readonly target: string;
  readonly status: number;
}

/** A strict API of an inventory on loopback, and the people who work in it. */
export interface SampleInventory {
  /** Where the API is, such as http://127.0.0.1:4711/api. */
  readonly url: string;
  /** Where OAuth tokens are given. */
  readonly tokenUrl: string;
  items(): readonly InventoryItem[];
  create(values: ItemValues): InventoryItem;
  /** All of them at one and the same time. */
  update(ids: readonly number[], values: ItemValues | ((item: InventoryItem) => ItemValues)): void;
  remove(id: number): void;
  /** Faults are used up in order. */
  fail(fault: InventoryFault): void;
  /** Called before a request is worked on: the moment in which people edit. */
  onRequest(listener: ((request: { method: string; path: string }) => void) | undefined): void;
  readonly requests: readonly InventoryRequest[];
  close(): Promise<void>;
}

/** Starts the server on a free port of loopback. */
export async function startSampleInventory(
  options: SampleInventoryOptions = {},
): Promise<SampleInventory> {
  const store = createStore(Date.now);
  for (let nth = 1; nth <= (options.items ?? 0); nth += 1) {
    store.create({
      sku: `SKU-${nth}`,
      name: `Item ${nth}`,
      price: `${nth}.25`,
      stock: nth,
      supplier: { code: `S${nth}` },
    });
  }
  const faults: { -readonly [K in keyof InventoryFault]: InventoryFault[K] }[] = [];
  const requests: InventoryRequest[] = [];
  const hooks: { listener?: (request: { method: string; path: string }) => void } = {};
  const api = createApi(store, options);
  const server = createServer((request, response) => {
    void answer({ api, options, faults, requests, hooks }, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/api`,
    tokenUrl: `${origin}/token`,
    items: store.all,
    create: store.create,
    update: store.update,
    remove: store.remove,
    fail: (fault) => faults.push({ ...fault }),
    onRequest: (listener) => {
      delete hooks.listener;
      if (listener !== undefined) hooks.listener = listener;
    },
    requests,
    close: () => closeServer(server),
  };
}

interface Serving {
  readonly api: Api;
  readonly options: SampleInventoryOptions;
  readonly faults: { -readonly [K in keyof InventoryFault]: InventoryFault[K] }[];
  readonly requests: InventoryRequest[];
  readonly hooks: { readonly listener?: (request: { method: string; path: string }) => void };
}

async function answer(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url: target = "/" } = request;
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const body = Buffer.concat(chunks).toString();
  const { pathname, searchParams } = new URL(target, "http://127.0.0.1");
  const root = `http://${request.headers.host}/api`;
  const fault = pathname.startsWith("/api/") ? nextFault(serving, method) : undefined;
  const result = work(serving, { request, pathname, searchParams, body, root }, fault);
  serving.requests.push({ method, target, status: result.status });
  if (fault?.kind === "lost" || fault?.kind === "hang-up") {
    request.socket.destroy();
    return;
  }
  const text = result.body === undefined ? "" : printJson(result.body);
  response.writeHead(result.status, { "content-type": "application/json", ...result.headers });
  response.end(fault?.kind === "cut" ? text.slice(0, text.length / 2) : text);
}

function nextFault({ faults }: Serving, method: string): InventoryFault | undefined {
  for (const fault of faults) {
    if (fault.method !== undefined && fault.method !== method) continue;
    if ((fault.after ?? 0) > 0) {
      fault.after = (fault.after ?? 0) - 1;
      continue;
    }
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times === 0) faults.splice(faults.indexOf(fault), 1);
    return fault;
  }
  return undefined;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
  readonly body: string;
  readonly root: string;
}

function work(
  { api, options, hooks }: Serving,
  { request, pathname, searchParams, body, root }: Asked,
  fault: InventoryFault | undefined,
): ApiAnswer {
  const { method = "GET", headers } = request;
  try {
    if (pathname === "/token") return tokenAnswer(options.auth, body);
    const status = Number(fault?.kind);
    if (status > 0) {
      const wait: Readonly<Record<string, string>> = status === 429 ? { "retry-after": "1" } : {};
      return errorAnswer(new ApiError(status, "FAULT", "The fault that was ordered."), wait);
    }
    if (fault?.kind === "hang-up") return { status: 0, headers: {}, body: undefined };
    const parameters = admit(options.auth, headers, searchParams);
    hooks.listener?.({ method, path: pathname.slice("/api".length) });
    return api({ method, path: pathname.slice("/api".length), parameters, headers, body }, root);
  } catch (error) {
    if (error instanceof ApiError) return errorAnswer(error);
    throw error;
  }
}

function errorAnswer(
  { status, code, message }: ApiError,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return { status, headers, body: { error: { code, message } } };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
