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
  answer: { status: number; headers: Record<string, string> };
} {
  let now = 0;
  const notes = new Map<string, string>();
  const sentAt: number[] = [];
  const answer = { status: 200, headers: {} };
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
        return { ...answer, body: "", bytes: 100 };
      },
      close: async () => undefined,
    },
    sentAt,
    waits: [],
    answer,
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

test("every window holds by itself, of requests and of bytes", async () => {
  const starts = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
  for (const [window, start] of Object.entries(starts)) {
    for (const limits of [
      { requests: { [window]: 2 }, bytes: {} },
      { requests: {}, bytes: { [window]: 200 } },
    ]) {
      const world = createWorld();
      const limited = limitHttp(world.transport, { ...world, limits, onWait: () => {} });
      for (let sent = 0; sent < 3; sent += 1) await limited.send(REQUEST, NEVER);
      assert.deepEqual(world.sentAt, [0, 0, start], JSON.stringify(limits));
    }
  }
});

test("what the answers say is obeyed, noted, and obeyed after a restart", async () => {
  const world = createWorld();
  const options = {
    ...world,
    limits: { requests: { day: 1000 }, bytes: {} },
    onWait: ({ reason, untilMs }: { reason: string; untilMs: number }) =>
      world.waits.push(`${reason} until ${untilMs}`),
  };
  const first = limitHttp(world.transport, options);
  world.answer.headers = {
    "x-ratelimit-limit": "60",
    "x-ratelimit-remaining": "2",
    "x-ratelimit-reset": "30",
  };
  await first.send(REQUEST, NEVER);
  world.answer.headers = { ...world.answer.headers, "x-ratelimit-remaining": "0" };
  await first.send(REQUEST, NEVER);
  world.answer.headers = {};
  const killed = limitHttp(world.transport, options);
  await killed.send(REQUEST, NEVER);
  assert.deepEqual(world.sentAt, [0, 0, 30_000]);
  assert.deepEqual(world.waits, ["the system says that its 60 requests are used up until 30000"]);
});

test("a limit that the answers tell is kept where it is lower than the budget", async () => {
  const world = createWorld();
  const limited = limitHttp(world.transport, {
    ...world,
    limits: { requests: { minute: 5 }, bytes: {} },
    rateHeaders: [{ window: "minute", limit: "minute-quota-limit" }],
    onWait: () => {},
  });
  world.answer.headers = { "minute-quota-limit": "2" };
  for (let sent = 0; sent < 3; sent += 1) await limited.send(REQUEST, NEVER);
  world.answer.headers = { "minute-quota-limit": "900" };
  for (let sent = 0; sent < 7; sent += 1) await limited.send(REQUEST, NEVER);
  const minutes = world.sentAt.map((at) => Math.floor(at / 60_000));
  assert.deepEqual(minutes, [0, 0, 1, 1, 1, 1, 1, 2, 2, 2]);
});

test("a refusal with Retry-After, also as a date, holds all requests that come after it", async () => {
  for (const retryAfter of ["30", "Thu, 01 Jan 1970 00:00:30 GMT"]) {
    const world = createWorld();
    const limits = { requests: {}, bytes: {} };
    const limited = limitHttp(world.transport, { ...world, limits, onWait: () => {} });
    world.answer.status = 429;
    world.answer.headers = { "retry-after": retryAfter };
    await limited.send(REQUEST, NEVER);
    world.answer.status = 200;
    world.answer.headers = {};
    await Promise.all([1, 2].map(() => limited.send(REQUEST, NEVER)));
    assert.deepEqual(world.sentAt, [0, 30_000, 30_000]);
  }
});
