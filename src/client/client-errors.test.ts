import assert from "node:assert/strict";
import test from "node:test";
import { type Client, fails, resoScene as scene } from "../../test/support/reso-scene.ts";
import { createResoClient } from "./client.ts";
import { ResoError } from "./errors.ts";
import type { ResoClientOptions } from "./options.ts";

test("what is wrong is found before it is sent, with what is near", async (t) => {
  const { mls, client } = await scene(t);
  await client.property.count();
  const { requests } = mls.control.stats();
  const list = (query: object): Promise<unknown> => client.property.list(query as never).toArray();
  const cases: readonly [() => Promise<unknown>, RegExp][] = [
    [
      () => list({ filter: { StandardStatus: "Actve" } }),
      /"StandardStatus" has no value "Actve"; near it: "Active"/,
    ],
    [() => list({ filter: { ListPrise: 1 } }), /no field "ListPrise".*"ListPrice"/],
    [
      () => list({ filter: { ListPrice: "cheap" } }),
      /compared with "cheap", which does not fit its type Decimal/,
    ],
    [() => list({ filter: { ListPrice: { above: 1 } } }), /operator "above"; allowed: eq/],
    [() => list({ filter: { InteriorFeatures: { eq: "Gas Log" } } }), /several values/],
    [() => list({ filter: { City: { has: [] } } }), /at least one value/],
    [() => list({ filter: { YearBuilt: { has: 1990 } } }), /one value only/],
    [() => list({ filter: { GeoLocation: "x" } }), /GeographyPoint/],
    [() => list({ filter: { or: [] } }), /`or` in a filter takes a list/],
    [() => list({ filter: { not: {} } }), /under `not` is empty/],
    [() => list({ filter: 7 }), /filter is "7"/],
    [
      () => list({ select: ["ListPrise"] }),
      /"ListPrise", which `select` names; near it: "ListPrice"/,
    ],
    [() => list({ orderBy: "ListPrise desc" }), /"ListPrise", which `orderBy` names/],
    [() => list({ orderBy: "ListPrice down" }), /`orderBy` holds "ListPrice down"/],
    [() => list({ expand: ["Medias"] }), /nothing related named "Medias"; near it: "Media"/],
    [() => list({ top: -1 }), /`top` is "-1"/],
    [() => list({ pageSize: 0 }), /`pageSize` is "0"/],
    [
      () => client.property.get("x"),
      /"x" is no key of stream "Property"; its key is "ListingKeyNumeric"/,
    ],
    [() => client.set("Propertys").list().toArray(), /no stream "Propertys"; it has Property/],
  ];
  for (const [act, message] of cases) await assert.rejects(act, fails("validation", message));
  assert.equal(mls.control.stats().requests, requests);
});

test("the server's own complaints are told by kind, with what was meant", async (t) => {
  const { mls, client } = await scene(t);
  await assert.rejects(client.property.count({ filter: "ListPrise gt 1" }), (error: unknown) => {
    assert.ok(error instanceof ResoError);
    assert.equal(error.kind, "validation");
    assert.equal(error.hint, 'Did you mean "ListPrice" instead of "ListPrise"?');
    return true;
  });
  mls.control.fail({ kind: "status", status: 429, retryAfter: 7 });
  await assert.rejects(client.property.get(1), (error: unknown) => {
    assert.ok(error instanceof ResoError);
    assert.deepEqual(
      [error.kind, error.name, error.retryAfterMs],
      ["rate-limit", "ResoRateLimitError", 7000],
    );
    return true;
  });
  mls.control.fail({ kind: "status", status: 503 });
  await assert.rejects(client.property.get(1), fails("server", /503/));
  mls.control.fail({ kind: "truncate" });
  await assert.rejects(client.property.count(), fails("server", /ends early/));
  mls.control.fail({ kind: "reset" });
  await assert.rejects(client.property.get(1), fails("network", /./));
  mls.control.fail({ kind: "next-loop", times: 3 });
  await assert.rejects(
    client.property.list({ orderBy: "ListPrice" }).toArray(),
    fails("server", /leads back to a page already read/),
  );
});

test("a wrong token, a silent server and a wrong address are told apart", async (t) => {
  const { mls } = await scene(t);
  const connect = (own: Partial<ResoClientOptions>): Client => {
    const client = createResoClient({
      url: mls.url,
      token: mls.token,
      retry: { attempts: 1 },
      ...own,
    });
    t.after(() => client.close());
    return client;
  };
  await assert.rejects(connect({ token: "s3cret" }).member.count(), (error: unknown) => {
    assert.ok(error instanceof ResoError);
    assert.equal(error.kind, "authentication");
    assert.doesNotMatch(error.message + JSON.stringify(error), /s3cret/);
    return true;
  });
  mls.control.fail({ kind: "hang" });
  await assert.rejects(connect({ timeoutMs: 50 }).office.count(), fails("timeout", /./));
  await assert.rejects(
    connect({ url: "http://127.0.0.1:1/reso" }).office.count(),
    fails("network", /./),
  );
  assert.throws(
    () => createResoClient({ url: "http://example.com" }),
    fails("validation", /`url`/),
  );
  assert.throws(() => createResoClient({}), fails("validation", /`url`: must be set/));
});

test("trouble that may pass is tried again, within the policy", async (t) => {
  const waits: string[] = [];
  const { mls, client } = await scene(
    t,
    {},
    {
      retry: { attempts: 3 },
      onWait: ({ reason }) => void waits.push(reason),
    },
  );
  mls.control.fail({ kind: "status", status: 503, times: 2, match: "/Property" });
  assert.equal((await client.property.list().toArray()).length, 120);
  assert.equal(waits.length, 2);
  mls.control.fail({ kind: "status", status: 503, times: 3, match: "/Member" });
  await assert.rejects(client.member.count(), fails("server", /3 tries/));
});

test("an abort ends what goes on with its own reason, and close ends everything", async (t) => {
  const { mls, client } = await scene(t);
  const abort = new AbortController();
  const reason = new Error("enough");
  await assert.rejects(async () => {
    for await (const record of client.property.list({ signal: abort.signal })) {
      assert.ok(record);
      abort.abort(reason);
    }
  }, reason);
  mls.control.fail({ kind: "hang", match: "/Office" });
  const hanging = client.office.count();
  const closed = assert.rejects(hanging, { code: "CONNECTOR_CLOSED" });
  await client.close();
  await closed;
  await assert.rejects(client.property.count(), { code: "CONNECTOR_CLOSED" });
  await client.close();
});
