import assert from "node:assert/strict";
import test from "node:test";
import type { SyncError } from "../../model/sync-error.ts";
import { createTestMemory, testClock } from "../../testing/connector-ports.ts";
import { startSampleMls } from "../../testing/sample-mls/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import { type ResoConfig, resoConfigSchema } from "./config.ts";
import { createResoConnector } from "./connector.ts";

const { signal } = new AbortController();
const OAUTH = {
  clientId: "me",
  clientSecret: "s3cr3t-4711",
  username: "ann",
  password: "pa55-4711",
};

for (const grant of ["client_credentials", "password"] as const) {
  test(`${grant}: a walk goes on over tokens that end or are revoked`, async (t) => {
    const mls = await startSampleMls({ listings: 60, pageSize: 10, token: "other", oauth: OAUTH });
    t.after(() => mls.close());
    const user = grant === "password" ? {} : { username: undefined, password: undefined };
    const config: ResoConfig = {
      profile: "wfrmls",
      url: mls.url,
      grant,
      tokenUrl: mls.tokenUrl,
      ...OAUTH,
      ...user,
    };
    const ports = { http: createUndiciTransport(), clock: testClock, memory: createTestMemory() };
    const connector = createResoConnector(config, ports);
    t.after(() => connector.close());
    assert.match((await connector.check(signal)).summary, /read with a token/);
    const schema = (await connector.discover(signal)).find(({ name }) => name === "Property");
    assert.ok(schema);
    const request = { kind: "walk", query: { schema }, after: null, projection: "record" } as const;
    let records = 0;
    for await (const page of connector.read(request, signal)) {
      records += page.records.length;
      if (records === 20) mls.control.revokeTokens();
      if (records === 40) mls.control.advance({ ms: 3_601_000 });
    }
    assert.equal(records, 60);
    const { byPath } = mls.control.stats();
    assert.equal(byPath["/oauth/token"], 3);
  });
}

test("wrong credentials halt, and no message holds them", async (t) => {
  const mls = await startSampleMls({ listings: 20, oauth: OAUTH });
  t.after(() => mls.close());
  const config: ResoConfig = {
    profile: "wfrmls",
    url: mls.url,
    grant: "client_credentials",
    tokenUrl: mls.tokenUrl,
    clientId: "me",
    clientSecret: "wrong-4711",
  };
  const ports = { http: createUndiciTransport(), clock: testClock, memory: createTestMemory() };
  const connector = createResoConnector(config, ports);
  t.after(() => connector.close());
  await assert.rejects(connector.check(signal), (error: SyncError) => {
    assert.equal(error.code, "CONNECTOR_UNAUTHORIZED");
    assert.equal(error.intent, "halt");
    assert.doesNotMatch(error.message, /wrong-4711/);
    return true;
  });
});

test("a grant is whole or not there", () => {
  const issues = (config: Record<string, unknown>): string =>
    (resoConfigSchema.safeParse({ profile: "wfrmls", ...config }).error?.issues ?? [])
      .map(({ path, message }) => `${path.join(".")} ${message}`)
      .join("; ");
  assert.equal(
    issues({ grant: "client_credentials", clientId: "env:A" }),
    "tokenUrl must be set for `grant: client_credentials`; clientSecret must be set for `grant: client_credentials`",
  );
  assert.match(issues({ clientId: "env:A" }), /clientId must not be set without/);
  const whole = {
    grant: "password",
    tokenUrl: "https://login.test/token",
    clientId: "env:A",
    clientSecret: "env:B",
    username: "env:C",
    password: "env:D",
    scope: "api",
  };
  assert.equal(issues(whole), "");
  assert.match(issues({ ...whole, token: "env:T" }), /token must not be set beside/);
  assert.match(issues({ ...whole, grant: "client_credentials" }), /username must not be set/);
});
