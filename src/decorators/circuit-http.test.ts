import assert from "node:assert/strict";
import { test } from "node:test";
import type { SyncError } from "../model/sync-error.ts";
import type { HttpResponse, HttpTransport } from "../ports/http.ts";
import { createKitClock } from "../testing/kit-clock.ts";
import { circuitHttp } from "./circuit-http.ts";

const REQUEST = { method: "GET", url: "http://mls.test/", headers: {} } as const;
const { signal } = new AbortController();
const ANSWER: HttpResponse = { status: 200, headers: {}, body: "", bytes: 0 };

function createWorld(): {
  readonly open: () => HttpTransport;
  readonly clock: ReturnType<typeof createKitClock>;
  readonly answer: { status: number; headers: Record<string, string> };
  readonly sent: () => number;
} {
  const clock = createKitClock();
  const notes = new Map<string, string>();
  const answer = { status: 429, headers: {} };
  let sent = 0;
  const transport: HttpTransport = {
    send: async () => {
      sent += 1;
      return { ...ANSWER, ...answer };
    },
    close: async () => undefined,
  };
  const memory = {
    recall: async (key: string) => notes.get(key),
    remember: async (key: string, value: string) => void notes.set(key, value),
  };
  return { open: () => circuitHttp(transport, { clock, memory }), clock, answer, sent: () => sent };
}

const refuses = (http: HttpTransport, message: RegExp): Promise<void> =>
  assert.rejects(http.send(REQUEST, signal), (error: SyncError) => {
    assert.equal(error.code, "CONNECTOR_RATE_LIMITED");
    assert.equal(error.intent, "retry");
    assert.match(error.message, message);
    return true;
  });

test("three refusals in a row open the circuit; it says when it closes, also after a restart", async () => {
  const { open, clock, sent, answer } = createWorld();
  const http = open();
  for (let count = 0; count < 3; count += 1) await http.send(REQUEST, signal);
  await refuses(http, /nothing is sent to it until 2026-01-05T12:01:00Z\.$/);
  await refuses(open(), /until 2026-01-05T12:01:00Z/);
  assert.equal(sent(), 3);
  clock.advance(60_000);
  assert.equal((await http.send(REQUEST, signal)).status, 429);
  await refuses(http, /until 2026-01-05T12:03:00Z/);
  clock.advance(120_000);
  answer.status = 200;
  await http.send(REQUEST, signal);
  answer.status = 429;
  await http.send(REQUEST, signal);
  assert.equal((await http.send(REQUEST, signal)).status, 429, "counted from the beginning again");
});

test("another answer between refusals, and refusals of one moment, open nothing", async () => {
  const { open, answer } = createWorld();
  const http = open();
  await Promise.all([1, 2, 3, 4].map(() => http.send(REQUEST, signal)));
  await http.send(REQUEST, signal);
  answer.status = 200;
  await http.send(REQUEST, signal);
  answer.status = 429;
  for (let count = 0; count < 3; count += 1) await http.send(REQUEST, signal);
  await refuses(http, /429 again and again/);
});

test("a longer Retry-After than the pause is obeyed", async () => {
  const { open, answer } = createWorld();
  answer.headers = { "retry-after": "600" };
  const http = open();
  for (let count = 0; count < 3; count += 1) await http.send(REQUEST, signal);
  await refuses(http, /until 2026-01-05T12:10:00Z/);
});

test("a Retry-After that is a date is measured from the server's own clock", async () => {
  const { open, answer, clock } = createWorld();
  answer.headers = {
    date: "Mon, 05 Jan 2026 15:00:00 GMT",
    "retry-after": "Mon, 05 Jan 2026 15:20:00 GMT",
  };
  const http = open();
  for (let count = 0; count < 3; count += 1) await http.send(REQUEST, signal);
  await refuses(http, /until 2026-01-05T12:20:00Z/);
  clock.advance(19 * 60_000);
  await refuses(open(), /until 2026-01-05T12:20:00Z/);
});
