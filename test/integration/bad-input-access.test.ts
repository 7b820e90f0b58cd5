import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import {
  createPlace,
  type Ended,
  type Place,
  type ProcessOptions,
  startSmallMls,
} from "./support.ts";

let mls: SampleMls;
let place: Place;
let edits = 0;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
  await place.heal();
});
after(async () => {
  await mls.close();
  place.remove();
});

const HEADLINE =
  "Failed: 1 of 1 stream of listings failed (incremental; N s); nothing that was saved is lost.";

/** A run by an address, while there is something to read; then a run by the right one. */
async function runAt(url: string, options: ProcessOptions = {}): Promise<Ended> {
  edits += 1;
  mls.control.editMany({ count: 30, fields: { PublicRemarks: `Edit ${edits}` } });
  place.configure({ url });
  const ended = await place.lockstep(["run"], options);
  place.configure();
  await place.heal();
  return ended;
}

test("a wrong token halts, and the cursor is kept", async () => {
  const { exit, told } = await runAt(mls.url, { env: { MLS_TOKEN: "not-the-token" } });
  assert.equal(
    told,
    `${HEADLINE}

Property failed: The server answered 401 for "http://MLS/reso/odata/$metadata": "Unauthorized".
  What to do: Renew the token and run again; the cursor is kept.
  Code: CONNECTOR_UNAUTHORIZED`,
  );
  assert.equal(exit, 3);
});

test("a token that expires in the middle of a copy: the next run goes on from there", async () => {
  const own = createPlace(mls);
  try {
    mls.control.configure({ tokenExpiresAfter: 15 });
    const failed = await own.lockstep(["run"]);
    assert.equal(
      failed.told,
      `Failed: 1 of 1 stream of listings failed (full; N s); nothing that was saved is lost.

Property failed: The server answered 401 for stream "Property": "Unauthorized".
  What to do: Renew the token and run again; the cursor is kept.
  Code: CONNECTOR_UNAUTHORIZED`,
    );
    assert.equal(failed.exit, 3);
    mls.control.configure({ tokenExpiresAfter: undefined });
    mls.control.expireToken({ replacement: "next-token" });
    const { runs } = await own.heal();
    const [part] = runs[0]?.streams ?? [];
    assert.match(part?.notes.join() ?? "", /^Resumed after \d+ records; what vanished/);
    assert.ok((part?.ledger.read ?? 0) < mls.count("Property"));
  } finally {
    own.remove();
  }
});

test("a URL beside the service names itself", async () => {
  const { exit, told } = await runAt(`${mls.url}/v2`);
  assert.equal(
    told,
    `${HEADLINE}

Property failed: The server answered 404 for "http://MLS/reso/odata/v2/$metadata": "Resource '/v2/$metadata' is not found".
  What to do: Check \`url\`: it must be the service root.
  Code: CONNECTOR_NOT_FOUND`,
  );
  assert.equal(exit, 1);
});

test("a port that nobody listens on", async () => {
  const url = await serve(
    () => undefined,
    async (closedSoon) => closedSoon,
  );
  const { exit, told } = await runAt(url);
  assert.equal(
    told.replace(new URL(url).host, "HOST"),
    `${HEADLINE}

Property failed: The server at HOST cannot be reached: the connection was refused. Gave up on the discovery of streams after 2 tries and N s of waiting.
  What to do: Check the URL and the network.
  Code: CONNECTOR_UNREACHABLE`,
  );
  assert.equal(exit, 1);
});

test("a host that does not exist", async () => {
  const { exit, told } = await runAt("https://nowhere.invalid/reso/odata");
  // Without any network the name server does not even say that the name is not known.
  assert.equal(
    told.replace("the name cannot be looked up now", "the name is not known"),
    `${HEADLINE}

Property failed: The server at nowhere.invalid cannot be reached: the name is not known. Gave up on the discovery of streams after 2 tries and N s of waiting.
  What to do: Check the URL and the network.
  Code: CONNECTOR_UNREACHABLE`,
  );
  assert.equal(exit, 1);
});

const NOT_ODATA = [
  { type: "application/json", body: '{"message":"Hello"}', answers: "JSON, not XML" },
  { type: "text/html", body: "<html><body>Log in</body></html>", answers: "a web page" },
  { type: "text/xml", body: "<rss><channel/></rss>", answers: "XML that is no OData metadata" },
] as const;

for (const { type, body, answers } of NOT_ODATA) {
  test(`a server that is not OData, but answers with ${type}`, async () => {
    await serve(
      (_request, response) => response.writeHead(200, { "Content-Type": type }).end(body),
      async (url) => {
        const { exit, told } = await runAt(url);
        assert.equal(
          told.replaceAll(url, "URL"),
          `${HEADLINE}

Property failed: "URL/$metadata" answers with ${answers}, so "URL" is no OData service.
  What to do: Check \`url\`: it must be the service root, the address that \`$metadata\` follows.
  Code: CONNECTOR_NOT_ODATA`,
        );
        assert.equal(exit, 1);
      },
    );
  });
}

test("a redirect to another origin gets no token, and its query is not shown", async () => {
  const location = "https://login.example/?session=abc123";
  await serve(
    (_request, response) => response.writeHead(302, { Location: location }).end(),
    async (url) => {
      const { exit, told } = await runAt(url);
      assert.equal(
        told.replace(url, "URL"),
        `${HEADLINE}

Property failed: The server redirects "URL/$metadata" to "https://login.example", which is another origin and gets no token.
  What to do: Set \`url\` to the address that the service has moved to, if you trust it.
  Code: CONNECTOR_NOT_FOUND`,
      );
      assert.equal(exit, 1);
    },
  );
});

/** A server on loopback for as long as `act` takes. */
async function serve<T>(answer: RequestListener, act: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}/reso`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
