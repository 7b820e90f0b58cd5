import assert from "node:assert/strict";
import { test } from "node:test";
import type { SyncError } from "../../model/sync-error.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "../../ports/http.ts";
import { createKitClock } from "../../testing/kit-clock.ts";
import { authorizeHttp, type TokenGrant } from "./authorize.ts";

const { signal } = new AbortController();
const GRANT: TokenGrant = {
  kind: "client_credentials",
  url: "https://login.test/token",
  clientId: "me",
  clientSecret: "s3cr3t-4711",
  scope: "api",
};
const PAGE: HttpRequest = { method: "GET", url: "https://mls.test/Property", headers: {} };

interface Server {
  readonly transport: HttpTransport;
  readonly asked: HttpRequest[];
  /** Authorization of each request but those for tokens. */
  readonly shown: (string | undefined)[];
  works: (token: string) => boolean;
  tokenAnswer: (count: number) => Partial<HttpResponse>;
}

function createServer(): Server {
  const server: Server = {
    asked: [],
    shown: [],
    works: () => true,
    tokenAnswer: (count) => ({
      body: JSON.stringify({ access_token: `token-${count}`, expires_in: 600 }),
    }),
    transport: {
      send: async (request) => {
        const whole = { status: 200, headers: {}, body: "{}", bytes: 2 };
        if (request.url === GRANT.url) {
          server.asked.push(request);
          return { ...whole, ...server.tokenAnswer(server.asked.length) };
        }
        const { authorization } = request.headers;
        server.shown.push(authorization);
        const token = (authorization ?? "").replace("Bearer ", "");
        return server.works(token) ? whole : { ...whole, status: 401, body: `bad ${token}` };
      },
      close: async () => undefined,
    },
  };
  return server;
}

test("a token is asked for once and renewed shortly before its end", async () => {
  const server = createServer();
  const clock = createKitClock();
  const http = authorizeHttp(server.transport, GRANT, clock);
  await Promise.all([1, 2, 3].map(() => http.send(PAGE, signal)));
  assert.deepEqual(server.shown, ["Bearer token-1", "Bearer token-1", "Bearer token-1"]);
  clock.advance(539_000);
  await http.send(PAGE, signal);
  clock.advance(2_000);
  await http.send(PAGE, signal);
  assert.deepEqual(server.shown.slice(3), ["Bearer token-1", "Bearer token-2"]);
  assert.equal(
    server.asked[0]?.body,
    "grant_type=client_credentials&client_id=me&client_secret=s3cr3t-4711&scope=api",
  );
});

test("a refused token is replaced and the request sent once more, not for ever", async () => {
  const server = createServer();
  const http = authorizeHttp(server.transport, GRANT, createKitClock());
  await http.send(PAGE, signal);
  server.works = (token) => token !== "token-1";
  const answers = await Promise.all([1, 2].map(() => http.send(PAGE, signal)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(server.asked.length, 2, "both wait for one renewal");
  server.works = () => false;
  const refused = await http.send(PAGE, signal);
  assert.equal(refused.status, 401);
  assert.equal(refused.body, "bad ***");
  assert.equal(server.asked.length, 3);
});

test("the password grant sends the user, and a token without a lifetime is kept half an hour", async () => {
  const server = createServer();
  const clock = createKitClock();
  server.tokenAnswer = (count) => ({ body: `{"access_token":"t${count}"}` });
  const grant = { ...GRANT, kind: "password", username: "ann", password: "p&w" } as const;
  const http = authorizeHttp(server.transport, grant, clock);
  await http.send(PAGE, signal);
  assert.match(server.asked[0]?.body ?? "", /grant_type=password.*&username=ann&password=p%26w$/);
  clock.advance(30 * 60_000);
  await http.send(PAGE, signal);
  assert.equal(server.asked.length, 1);
});

const REFUSALS: readonly (readonly [string, Partial<HttpResponse>, string, RegExp])[] = [
  [
    "wrong credentials",
    {
      status: 400,
      body: '{"error":"invalid_client","error_description":"s3cr3t-4711 is unknown"}',
    },
    "CONNECTOR_UNAUTHORIZED",
    /401 for the token endpoint at login\.test: "invalid_client: \*\*\* is unknown"/,
  ],
  ["trouble", { status: 503, body: "" }, "CONNECTOR_UNAVAILABLE", /503 for the token endpoint/],
  [
    "a web page",
    { body: "<html></html>", headers: { "content-type": "text/html" } },
    "CONNECTOR_BAD_RESPONSE",
    /answered with a web page/,
  ],
  ["no token", { body: '{"ok":true}' }, "CONNECTOR_BAD_RESPONSE", /no JSON object with a usable/],
  ["a broken token", { body: '{"access_token":"a\\nb"}' }, "CONNECTOR_BAD_RESPONSE", /usable/],
];

for (const [what, answer, code, message] of REFUSALS) {
  test(`${what} of the token endpoint is an error without a secret, and may be asked again`, async () => {
    const server = createServer();
    const usual = server.tokenAnswer;
    server.tokenAnswer = () => answer;
    const http = authorizeHttp(server.transport, GRANT, createKitClock());
    await assert.rejects(http.send(PAGE, signal), (error: SyncError) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify([error.message, error.context]), /s3cr3t/);
      return true;
    });
    assert.deepEqual(server.shown, []);
    server.tokenAnswer = usual;
    assert.equal((await http.send(PAGE, signal)).status, 200);
  });
}
