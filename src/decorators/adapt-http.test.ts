import assert from "node:assert/strict";
import { test } from "node:test";
import { createUndiciTransport } from "../connectors/http/undici-transport.ts";
import { CONCURRENCY_NOTE, type Concurrency } from "../core/concurrency.ts";
import { SyncError } from "../model/sync-error.ts";
import type { HttpResponse, HttpTransport } from "../ports/http.ts";
import { createKitClock } from "../testing/kit-clock.ts";
import { startSampleMls } from "../testing/sample-mls/index.ts";
import { adaptHttp } from "./adapt-http.ts";

const REQUEST = { method: "GET", url: "http://mls.test/", headers: {} } as const;
const NEVER = new AbortController().signal;

function createNotes(): {
  readonly notes: Map<string, string>;
  readonly memory: {
    recall: (key: string) => Promise<string | undefined>;
    remember: (key: string, value: string) => Promise<void>;
  };
} {
  const notes = new Map<string, string>();
  const memory = {
    recall: async (key: string) => notes.get(key),
    remember: async (key: string, value: string) => void notes.set(key, value),
  };
  return { notes, memory };
}

test("a sample MLS that refuses above three at a time is asked three at a time", async (t) => {
  const mls = await startSampleMls({ listings: 5, token: null });
  t.after(() => mls.close());
  const states: Concurrency[] = [];
  const now = (): number => states.at(-1)?.limit ?? 8;
  const inner = createUndiciTransport();
  const http = adaptHttp(inner, {
    max: 8,
    clock: createKitClock(),
    memory: createNotes().memory,
    onChange: (state) => states.push(state),
  });
  t.after(() => http.close());
  const url = `${mls.url}/Property?$top=1`;
  let refusals = 0;
  const askUntilGood = async (): Promise<void> => {
    for (;;) {
      const { status } = await http.send({ ...REQUEST, url }, NEVER);
      if (status === 200) return;
      assert.equal(status, 503);
      refusals += 1;
    }
  };
  const round = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 40 }, () => askUntilGood()));

  await round();
  assert.deepEqual(states, [], "a server that bears all of them is asked all of them");
  mls.control.slow({ ms: 5 });
  mls.control.crowd({ atOnce: 3 });
  await round();
  assert.deepEqual(
    states.slice(0, 2).map(({ limit, halvings }) => [limit, halvings]),
    [
      [4, 1],
      [2, 2],
    ],
  );
  const before = refusals;
  await round();
  // To come above three takes 2 + 3 good answers, and costs the few that are refused with it.
  assert.ok(refusals - before <= 40, `${refusals - before} refusals`);
  mls.control.crowd({ atOnce: 0 });
  await round();
  await round();
  assert.equal(now(), 8, "back to all that is allowed");
});

/** A transport whose answers are given by hand. */
function createHeld(): { http: HttpTransport; waiting: ((status: number | Error) => void)[] } {
  const waiting: ((status: number | Error) => void)[] = [];
  const send = (): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      waiting.push((status) => {
        if (status instanceof Error) reject(status);
        else resolve({ status, headers: {}, body: "", bytes: 0 });
      });
    });
  return { http: { send, close: async () => undefined }, waiting };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("requests beyond the limit wait in turn, and leave when they are stopped", async () => {
  const { http: inner, waiting } = createHeld();
  const http = adaptHttp(inner, {
    max: 2,
    clock: createKitClock(),
    memory: createNotes().memory,
    onChange: () => {},
  });
  const stopped = new AbortController();
  const sent = [1, 2].map(() => http.send(REQUEST, NEVER));
  const third = http.send(REQUEST, stopped.signal);
  const fourth = http.send(REQUEST, NEVER);
  await settled();
  assert.equal(waiting.length, 2);
  stopped.abort(new Error("enough"));
  await assert.rejects(third, /enough/);
  waiting[0]?.(200);
  await sent[0];
  await settled();
  assert.equal(waiting.length, 3, "the fourth went, not the third");
  for (const answer of waiting.slice(1)) answer(200);
  assert.equal((await fourth).status, 200);
  await assert.rejects(http.send(REQUEST, stopped.signal), /enough/);
});

test("a timeout halves, any other error does not; what was learnt outlives the process", async () => {
  const { notes, memory } = createNotes();
  const clock = createKitClock();
  const options = { max: 8, clock, memory, onChange: () => {} };
  const { http: inner, waiting } = createHeld();
  const first = adaptHttp(inner, options);
  const fail = async (code: "CONNECTOR_TIMEOUT" | "CONNECTOR_UNREACHABLE"): Promise<void> => {
    const sent = first.send(REQUEST, NEVER);
    await settled();
    waiting.pop()?.(new SyncError(code, "No answer."));
    await assert.rejects(sent);
  };
  await fail("CONNECTOR_UNREACHABLE");
  assert.equal(notes.size, 0);
  await fail("CONNECTOR_TIMEOUT");
  await fail("CONNECTOR_TIMEOUT");
  assert.deepEqual(JSON.parse(notes.get(CONCURRENCY_NOTE) ?? ""), {
    limit: 2,
    max: 8,
    at: clock.now(),
  });
  const restarted = adaptHttp(inner, options);
  const all = Array.from({ length: 5 }, () => restarted.send(REQUEST, NEVER));
  await settled();
  assert.equal(waiting.length, 2);
  while (waiting.length > 0) {
    waiting.pop()?.(200);
    await settled();
  }
  await Promise.all(all);
});
