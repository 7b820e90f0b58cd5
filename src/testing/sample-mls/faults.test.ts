import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { SampleMls } from "./index.ts";
import { startSampleMls } from "./index.ts";
import { get, getAll, getPage } from "./test-client.ts";

let mls: SampleMls;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2025, 5, 2);
  mls = await startSampleMls({ listings: 500, now: () => now });
});
afterEach(() => mls.close());

test("status faults hit the requests they match, with body and Retry-After", async () => {
  mls.control.fail({ kind: "status", status: 503, retryAfter: 7, match: "/Property", times: 2 });
  assert.equal((await get(mls, "/Office")).status, 200);
  const first = await get(mls, "/Property");
  assert.deepEqual([first.status, first.headers.get("retry-after")], [503, "7"]);
  assert.equal((await get(mls, "/Property")).status, 503);
  assert.equal((await get(mls, "/Property")).status, 200);
  mls.control.fail({
    kind: "status",
    status: 429,
    retryAfter: 30,
    retryAfterAsDate: true,
    body: "slow down",
  });
  const dated = await get(mls, "/Property");
  assert.equal(dated.headers.get("retry-after"), "Mon, 02 Jun 2025 00:00:30 GMT");
  assert.equal(dated.text, "slow down");
});

test("a fault can wait for a later page", async () => {
  mls.control.fail({ kind: "status", match: "/Property", after: 1 });
  const first = await getPage(mls, "/Property");
  assert.equal((await get(mls, first.nextLink ?? "")).status, 500);
});

test("broken connections and broken bodies", async () => {
  mls.control.fail({ kind: "reset" });
  await assert.rejects(get(mls, "/Property"));
  mls.control.fail({ kind: "cut" });
  await assert.rejects(get(mls, "/Property"));
  mls.control.fail({ kind: "truncate" });
  const truncated = await get(mls, "/Property");
  assert.equal(truncated.status, 200);
  assert.throws(() => JSON.parse(truncated.text));
  mls.control.fail({ kind: "html" });
  const html = await get(mls, "/Property");
  assert.deepEqual([html.status, html.headers.get("content-type")], [200, "text/html"]);
  mls.control.fail({ kind: "error-body" });
  const error = await get(mls, "/Property");
  assert.equal(error.status, 200);
  assert.ok("error" in (JSON.parse(error.text) as object));
});

test("wrong nextLinks", async () => {
  mls.control.fail({ kind: "empty-page" });
  const empty = await getPage(mls, "/Property");
  assert.equal(empty.rows.length, 0);
  assert.equal((await getAll(mls, empty.nextLink ?? "")).length, 500);
  mls.control.fail({ kind: "empty-page", times: 2 });
  const links = [empty.nextLink, (await getPage(mls, empty.nextLink ?? "")).nextLink];
  assert.deepEqual(links, [`${mls.url}/Property?continued=1`, `${mls.url}/Property?continued=2`]);
  mls.control.heal();
  mls.control.fail({ kind: "next-loop" });
  assert.equal((await getPage(mls, "/Property?$top=3")).nextLink, `${mls.url}/Property?$top=3`);
  mls.control.fail({ kind: "next-elsewhere", nextLink: "http://127.0.0.1:1/Property" });
  assert.equal((await getPage(mls, "/Property")).nextLink, "http://127.0.0.1:1/Property");
});

test("pages that repeat their rows, count wrongly or are no JSON", async () => {
  const path = "/Property?$top=3&$count=true";
  const { rows } = await getPage(mls, path);
  mls.control.fail({ kind: "duplicate" });
  const doubled = await getPage(mls, path);
  assert.deepEqual(
    doubled.rows,
    rows.flatMap((row) => [row, row]),
  );
  mls.control.fail({ kind: "miscount" });
  assert.match((await get(mls, path)).text, /"@odata.count":1500\b/);
  mls.control.fail({ kind: "malformed" });
  const { text } = await get(mls, path);
  assert.throws(() => JSON.parse(text), SyntaxError);
});

test("events grow by number, with gaps, and are thrown away from the oldest on", async (t) => {
  const granted = await startSampleMls({ listings: 60, grants: ["EntityEvent"] });
  t.after(() => granted.close());
  const path = "/EntityEvent?$orderby=EntityEventSequence asc";
  const numbers = async (): Promise<readonly bigint[]> => {
    const { text } = await get(granted, path);
    return [...text.matchAll(/"EntityEventSequence":(\d+)/g)].map(([, digits]) =>
      BigInt(digits ?? ""),
    );
  };
  const before = await numbers();
  assert.ok((before[0] ?? 0n) > 2n ** 53n);
  for (let step = 1; step < 4; step += 1) granted.control.live({ step, edits: 20 });
  const after = await numbers();
  assert.deepEqual(after.slice(0, 15), before.slice(0, 15), "what stands is never changed");
  assert.ok(after.every((number, at) => at === 0 || number > (after[at - 1] ?? 0n)));
  assert.ok((after.at(-1) ?? 0n) - (after[0] ?? 0n) >= BigInt(after.length), "gaps");
  granted.control.forgetEvents({ keep: 2 });
  assert.deepEqual(await numbers(), after.slice(-2));
});

test("a hanging request ends when the client gives up or the server closes", async () => {
  mls.control.fail({ kind: "hang" });
  const hanging = get(mls, "/Property").catch((error: unknown) => error);
  while (mls.control.stats().byStatus["hang"] === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await mls.close();
  assert.ok((await hanging) instanceof Error);
});

test("the throttle counts by the server's clock", async () => {
  mls.control.throttle({ perSecond: 2 });
  const statuses: number[] = [];
  for (let index = 0; index < 4; index += 1) {
    statuses.push((await get(mls, "/Office?$top=1")).status);
  }
  assert.deepEqual(statuses, [200, 200, 429, 429]);
  assert.equal((await get(mls, "/Office")).headers.get("retry-after"), "1");
  now += 1_000;
  assert.equal((await get(mls, "/Office")).status, 200);
  mls.control.throttle({ perSecond: 1 });
  mls.control.heal();
  assert.equal((await get(mls, "/Office")).status, 200);
});

test("tokens: wrong, missing, expired, counted, and none at all", async () => {
  const wrong = await get(mls, "/Property", { Authorization: "Bearer nope" });
  assert.equal(wrong.status, 401);
  assert.deepEqual(JSON.parse(wrong.text), { error: { message: "Unauthorized" } });
  assert.equal((await get(mls, "/", { Authorization: "" })).status, 401);
  const old = mls.token;
  mls.control.expireToken({ replacement: "second" });
  assert.equal((await get(mls, "/", { Authorization: `Bearer ${old}` })).status, 401);
  assert.equal((await get(mls, "/")).status, 200);
  mls.control.configure({ tokenExpiresAfter: 2, authFailureStatus: 403 });
  const statuses: number[] = [];
  for (let index = 0; index < 3; index += 1) {
    statuses.push((await get(mls, "/")).status);
  }
  assert.deepEqual(statuses, [200, 200, 403]);
  mls.control.expireToken();
  assert.equal((await get(mls, "/")).status, 403);
  const open = await startSampleMls({ listings: 1, token: null });
  assert.equal((await fetch(open.url)).status, 200);
  await open.close();
});

test("only reading is allowed, and what happened is counted", async () => {
  mls.control.slow({ ms: 1 });
  const response = await fetch(`${mls.url}/Property`, {
    method: "POST",
    headers: { Authorization: `Bearer ${mls.token}` },
  });
  assert.equal(response.status, 405);
  await get(mls, "/Property(5)?$select=City");
  const stats = mls.control.stats();
  assert.equal(stats.requests, 2);
  assert.deepEqual(stats.byPath, { "/Property": 1, "/Property()": 1 });
  assert.deepEqual(stats.byStatus, { 404: 1, 405: 1 });
  assert.ok(stats.bytes > 0);
  assert.deepEqual(stats.recent.at(-1), "/Property(5)?$select=City");
});
