import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { parseExactJson } from "../../src/connectors/http/exact-json.ts";
import { exactJson } from "../../src/model/exact-number.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * A strict API of JSON on loopback that keeps records of any shape, in collections by name, under
 * the ids that their makers give them. It gives back what it got, and writes only over what was
 * seen: an update or a delete without the ETag of the record is refused.
 */
export interface EchoApi {
  readonly url: string;
  /** The JSON text of each record of a collection, in the order in which they were made. */
  records(collection: string): readonly string[];
  /** A record as a person makes it, as JSON text. */
  put(collection: string, json: string): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly etag?: string;
}

interface Asked {
  readonly method: string;
  readonly ifMatch: string | undefined;
  readonly body: string;
}

interface Kept {
  readonly row: Row;
  readonly version: number;
}

const refused = (status: number, message: string): Answer => ({
  status,
  body: { error: { code: `E${status}`, message } },
});

const shown = ({ row, version }: Kept, status = 200): Answer => ({
  status,
  body: { data: row },
  etag: `"${version}"`,
});

function page(rows: ReadonlyMap<string, Kept>, parameters: URLSearchParams): Answer {
  const limit = Number(parameters.get("limit"));
  const start = (Number(parameters.get("page")) - 1) * limit;
  const all = [...rows.values()].map(({ row }) => row);
  return { status: 200, body: { data: all.slice(start, start + limit), total: all.length } };
}

function create(rows: Map<string, Kept>, row: Row): Answer {
  const id = row["id"];
  if (typeof id !== "string") return refused(422, "A record needs an id.");
  if (rows.has(id)) return refused(409, "A record of that id exists.");
  const kept = { row, version: 1 };
  rows.set(id, kept);
  return shown(kept, 201);
}

function change(rows: Map<string, Kept>, id: string, { method, ifMatch, body }: Asked): Answer {
  const kept = rows.get(id);
  if (kept === undefined) return refused(404, "There is no such record.");
  if (method === "GET") return shown(kept);
  if (ifMatch === undefined) return refused(428, "If-Match is wanted.");
  if (ifMatch !== `"${kept.version}"`) return refused(412, "The record has been changed.");
  if (method === "DELETE") {
    rows.delete(id);
    return { status: 204 };
  }
  if (method !== "PATCH") return refused(405, "Only GET, PATCH and DELETE.");
  const values = parseExactJson(body) as Row;
  if ("id" in values && values["id"] !== id) return refused(422, "The id cannot be changed.");
  const next = { row: { ...kept.row, ...values }, version: kept.version + 1 };
  rows.set(id, next);
  return shown(next);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

export async function startEchoApi(): Promise<EchoApi> {
  const collections = new Map<string, Map<string, Kept>>();
  const rowsOf = (name: string): Map<string, Kept> => {
    const rows = collections.get(name) ?? new Map<string, Kept>();
    collections.set(name, rows);
    return rows;
  };
  const answer = (path: string, parameters: URLSearchParams, asked: Asked): Answer => {
    const [, collection = "", id] = path.split("/");
    const rows = rowsOf(collection);
    if (id !== undefined) return change(rows, decodeURIComponent(id), asked);
    if (asked.method === "GET") return page(rows, parameters);
    return create(rows, parseExactJson(asked.body) as Row);
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    const { status, body, etag } = answer(pathname, searchParams, {
      method: request.method ?? "GET",
      ifMatch: request.headers["if-match"],
      body: await bodyOf(request),
    });
    response.writeHead(status, {
      "content-type": "application/json",
      ...(etag === undefined ? {} : { etag }),
    });
    response.end(body === undefined ? "" : exactJson(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    records: (collection) => [...rowsOf(collection).values()].map(({ row }) => exactJson(row)),
    put: (collection, json) => {
      const { status } = create(rowsOf(collection), parseExactJson(json) as Row);
      if (status !== 201) throw new Error("A record of that id exists.");
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
