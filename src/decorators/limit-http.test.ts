import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";
import { limitHttp } from "./limit-http.ts";

const REQUEST = { method: "GET", url: "http://mls.test/", headers: {} } as const;
const NEVER = new AbortController().signal;

function createWorld(): {
  clock: Clock;
  memory: Memory;
  transport: HttpTransport;
  sentAt: number[];
  waits: string[];
} {
  let now = 0;
  const notes = new Map<string, string>();
  const sentAt: number[] = [];
  return {
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    },
    memory: {
      recall: async (key) => notes.get(key),
      remember: async (key, value) => void notes.set(key, value),
    },
    transport: {
      send: async () => {
        sentAt.push(now);
        return { status: 200, headers: {}, body: "", bytes: 100 };
      },
      close: async () => undefined,
    },
    sentAt,
    waits: [],
  };
}

test("requests wait for the next window and say for what and until when", async () => {
  const world = createWorld();
  const limited = limitHttp(world.transport, {
    ...world,
    limits: { requests: { second: 2 }, bytes: {} },
    onWait: ({ reason, untilMs }) => world.waits.push(`${reason} until ${untilMs}`),
  });
  await Promise.all([1, 2, 3, 4, 5].map(() => limited.send(REQUEST, NEVER)));
  assert.deepEqual(world.sentAt, [0, 0, 1000, 1000, 2000]);
  assert.deepEqual(world.waits, [
    "2 requests a second are used up until 1000",
    "2 requests a second are used up until 2000",
  ]);
});

test("what was used is known after a restart, also without a clean end", async () => {
  const world = createWorld();
  const options = {
    ...world,
    limits: { requests: { minute: 12 }, bytes: {} },
    onWait: ({ untilMs }: { untilMs: number }) => world.waits.push(String(untilMs)),
  };
  const killed = limitHttp(world.transport, options);
  for (let sent = 0; sent < 3; sent += 1) await killed.send(REQUEST, NEVER);
  const restarted = limitHttp(world.transport, options);
  for (let sent = 0; sent < 12; sent += 1) await restarted.send(REQUEST, NEVER);
  const inFirstMinute = world.sentAt.filter((at) => at < 60_000).length;
  assert.ok(inFirstMinute <= 12, `${inFirstMinute} requests were sent in a minute that allows 12`);
  assert.deepEqual(world.waits, ["60000"]);
});

test("bytes are counted from the answers", async () => {
  const world = createWorld();
  const limited = limitHttp(world.transport, {
    ...world,
    limits: { requests: {}, bytes: { hour: 250 } },
    onWait: ({ reason }) => world.waits.push(reason),
  });
  for (let sent = 0; sent < 4; sent += 1) await limited.send(REQUEST, NEVER);
  assert.deepEqual(world.sentAt, [0, 0, 0, 3_600_000]);
  assert.deepEqual(world.waits, ["250 bytes an hour are used up"]);
});
