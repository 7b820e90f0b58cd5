import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { SyncError } from "../../model/sync-error.ts";
import { createUndiciTransport, type TransportOptions } from "./undici-transport.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const never = new AbortController().signal;

async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function transport(t: TestContext, options: TransportOptions = {}) {
  const created = createUndiciTransport(options);
  t.after(() => created.close());
  return (url: string, signal = never, headers: Record<string, string> = {}) =>
    created.send({ method: "GET", url, headers }, signal);
}

const isCode = (code: string) => (error: SyncError) => error.code === code;

test("bodies are unpacked, and their bytes on the wire counted", async (t) => {
  const text = "naïve 家 ".repeat(100);
  const packed: Record<string, Buffer> = {
    gzip: gzipSync(text),
    deflate: deflateSync(text),
    "deflate, identity": deflateRawSync(text),
    br: brotliCompressSync(text),
    identity: Buffer.from(text),
  };
  const url = await serve(t, (request, response) => {
    const coding = decodeURIComponent((request.url ?? "").slice(1));
    response.writeHead(200, { "content-encoding": coding }).end(packed[coding]);
  });
  const send = transport(t);
  for (const [coding, body] of Object.entries(packed)) {
    const answer = await send(`${url}/${encodeURIComponent(coding)}`);
    assert.equal(answer.body, text, coding);
    assert.equal(answer.bytes, body.length, coding);
  }
});

test("a damaged, unknown or unbounded body is refused", async (t) => {
  const bodies: Record<string, readonly [string, Buffer]> = {
    "/cut": ["gzip", gzipSync("x".repeat(1000)).subarray(0, 20)],
    "/odd": ["zstd9", Buffer.from("x")],
    "/bomb": ["gzip", gzipSync(Buffer.alloc(1_000_000))],
    "/long": ["identity", Buffer.alloc(100_000, "x")],
    "/bytes": ["identity", Buffer.from([0x22, 0xff, 0x22])],
  };
  const url = await serve(t, (request, response) => {
    const [coding, body] = bodies[request.url ?? ""] ?? ["identity", Buffer.from("")];
    response.writeHead(200, { "content-encoding": coding }).end(body);
  });
  const send = transport(t, { bodyBytesMax: 50_000 });
  for (const path of Object.keys(bodies)) {
    await assert.rejects(send(url + path), isCode("CONNECTOR_BAD_RESPONSE"), path);
  }
});

test("redirects stay within the origin, so that the token does", async (t) => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end("elsewhere");
  });
  const url = await serve(t, (request, response) => {
    if (request.url === "/here") response.writeHead(302, { location: "/there" }).end();
    else if (request.url === "/away") response.writeHead(302, { location: elsewhere }).end();
    else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.end(`reached ${request.headers.authorization}`);
  });
  const send = transport(t);
  const headers = { authorization: "Bearer x" };
  assert.equal((await send(`${url}/here`, never, headers)).body, "reached Bearer x");
  assert.equal((await send(`${url}/away`, never, headers)).status, 302);
  assert.equal((await send(`${url}/round`, never, headers)).status, 302);
  assert.deepEqual(seen, []);
});

test("an answer that does not come is a timeout, an abort its own reason", async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === "/half") response.writeHead(200, { "content-length": 10 }).write("half");
  });
  const send = transport(t, { timeoutMs: 50 });
  await assert.rejects(send(`${url}/hang`), isCode("CONNECTOR_TIMEOUT"));
  await assert.rejects(send(`${url}/half`), isCode("CONNECTOR_TIMEOUT"));
  const patient = transport(t);
  const abort = new AbortController();
  const reason = new Error("enough");
  const sent = patient(`${url}/hang`, abort.signal);
  abort.abort(reason);
  await assert.rejects(sent, reason);
  await assert.rejects(patient(`${url}/hang`, abort.signal), reason);
});

test("a server that cannot be reached, or breaks off, is unreachable", async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === "/reset") request.socket.destroy();
    else {
      response.writeHead(200, { "content-length": 10 }).write("half");
      setImmediate(() => request.socket.destroy());
    }
  });
  const send = transport(t);
  await assert.rejects(send(`${url}/reset`), isCode("CONNECTOR_UNREACHABLE"));
  await assert.rejects(send(`${url}/cut`), isCode("CONNECTOR_UNREACHABLE"));
  await assert.rejects(send("http://127.0.0.1:1/"), isCode("CONNECTOR_UNREACHABLE"));
});

test("a connection is used again", async (t) => {
  const sockets = new Set<unknown>();
  const url = await serve(t, (request, response) => {
    sockets.add(request.socket);
    response.end("ok");
  });
  const send = transport(t);
  for (let n = 0; n < 10; n++) await send(url);
  assert.ok(sockets.size < 5, `${sockets.size} connections for ten requests`);
});

test("close may be called twice, and nothing is sent after it", async () => {
  const created = createUndiciTransport();
  await created.close();
  await created.close();
  const request = { method: "GET", url: "http://127.0.0.1:1/", headers: {} } as const;
  await assert.rejects(created.send(request, never), isCode("CONNECTOR_CLOSED"));
});
