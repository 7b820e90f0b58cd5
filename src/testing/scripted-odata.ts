import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createUndiciTransport } from "../connectors/http/undici-transport.ts";
import { type OdataConfig, resolveOdataSettings } from "../connectors/odata/config.ts";
import { createOdataConnector } from "../connectors/odata/connector.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Connector } from "../ports/connector.ts";
import { createTestMemory, testClock } from "./connector-ports.ts";

/** One set, `Things`, with an `Id`, a `Changed` and a `Name`. */
const METADATA = `<Edmx Version="4.0"><DataServices><Schema Namespace="N">
<EntityContainer Name="C"><EntitySet Name="Things" EntityType="N.Thing"/></EntityContainer>
<EntityType Name="Thing"><Key><PropertyRef Name="Id"/></Key>
<Property Name="Id" Type="Edm.Int32"/><Property Name="Changed" Type="Edm.DateTimeOffset"/>
<Property Name="Name" Type="Edm.String"/></EntityType></Schema></DataServices></Edmx>`;

/** A request as a test's server sees it: `/Things` and the decoded options. */
export interface TestRequest {
  readonly path: string;
  readonly options: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Address of the service root. */
  readonly root: string;
}

export interface TestAnswer {
  readonly status?: number;
  /** Sent as JSON unless it is a text. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestService {
  readonly connector: Connector;
  readonly schema: StreamSchema;
  readonly requests: TestRequest[];
  readonly notes: Map<string, string>;
}

/** A server that answers as the test says, metadata aside, and a connector to it. */
export async function serveOdata(
  t: TestContext,
  answer: (request: TestRequest) => TestAnswer,
  config: Partial<OdataConfig> = {},
): Promise<TestService> {
  const requests: TestRequest[] = [];
  const server = createServer((request, response) => {
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const url = new URL(request.url ?? "/", root);
    if (url.pathname === "/$metadata") return void response.end(METADATA);
    const asked = {
      path: url.pathname,
      options: url.searchParams,
      headers: request.headers,
      root,
    };
    requests.push(asked);
    const { status = 200, body, headers = {} } = answer(asked);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const memory = createTestMemory();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = resolveOdataSettings({
    url,
    token: "the-token",
    probe: "never",
    modifiedAt: ["Changed"],
    ...config,
  });
  const connector = createOdataConnector(settings, {
    http: createUndiciTransport(),
    clock: testClock,
    memory,
  });
  t.after(async () => {
    await connector.close();
    server.closeAllConnections();
    server.close();
  });
  const [schema] = await connector.discover(new AbortController().signal);
  if (schema === undefined) throw new Error("The test's metadata has no set.");
  return { connector, schema, requests, notes: memory.notes };
}
