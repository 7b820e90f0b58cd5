import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "../../drivers/system-runtime.ts";
import type { RecordKey } from "../../model/record.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import type { HttpRequest } from "../../ports/http.ts";
import { restConfigSchema } from "./config.ts";
import type { RestConfig } from "./config-types.ts";
import { createRestConnector } from "./connector.ts";
import { resolveRestSettings } from "./resolve-settings.ts";

const { signal } = new AbortController();

type Answers = Readonly<Record<string, (request: HttpRequest) => unknown>>;

/** What a write to an API of one stream leaves there, as the connector tells it. */
async function written(
  answers: Answers,
  more: object,
  operation: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const url = "http://127.0.0.1:1";
  const fields = { id: "integer", name: "text", price: "integer", stock: "integer" };
  const items = { list: "/items", get: "/items/{id}", key: "id", fields, ...more };
  const config = restConfigSchema.parse({ url, streams: { items } }) as unknown as RestConfig;
  const connector = createRestConnector(resolveRestSettings(config), {
    http: {
      send: async (request) => {
        const body = JSON.stringify(answers[request.method]?.(request)) ?? "";
        return { status: 200, headers, body, bytes: body.length };
      },
      close: async () => undefined,
    },
    clock: createSystemClock(),
    memory: { recall: async () => undefined, remember: async () => undefined },
  });
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  const operations = [{ id: "one", ...operation } as WriteOperation];
  const [outcome] = (await connector.write?.({ schema }, operations, signal)) ?? [];
  return outcome?.kind === "written" ? outcome.stored?.values : outcome;
}

/** Somebody edits the API's one item right after each write, before it is read again. */
async function updated(answer: (item: object) => object | undefined) {
  let item: Record<string, unknown> = { id: 1, name: "n", price: 1, stock: 1 };
  const answers: Answers = {
    GET: ({ url }) => (url.endsWith("/1") ? item : [item]),
    PATCH: ({ body = "" }) => {
      item = { ...item, ...JSON.parse(body) };
      const told = answer(item);
      item = { ...item, price: 7, stock: 7 };
      return told;
    },
  };
  const expected = { values: [undefined, undefined, "1", undefined] };
  const values = [undefined, undefined, "5", undefined];
  const key = "1" as RecordKey;
  return written(
    answers,
    { update: "PATCH /items/{id}" },
    { kind: "update", key, values, expected },
  );
}

test("what the answer to a write tells is not what somebody made of it since", async () => {
  const item = (price: string, stock: string) => ["1", "n", price, stock];
  assert.deepEqual(await updated((all) => all), item("5", "1"));
  assert.deepEqual(await updated(() => ({ id: 1, price: 5 })), item("5", "7"));
  assert.deepEqual(await updated(() => ({ id: 1 })), item("7", "7"));
  assert.deepEqual(await updated(() => undefined), item("7", "7"));
});

test("the id of a new record is found wherever it stands", async () => {
  const item = { id: 9, name: "n", price: 1, stock: 1 };
  const stream = { create: "POST /items", assigned: true, record: "data" };
  const create = { kind: "create", values: [undefined, "n", "1", "1"] };
  for (const told of [
    { data: item },
    { data: { id: 9 } },
    { id: 9 },
    { made: { id: 9 } },
    9,
    "9",
  ]) {
    const answers: Answers = {
      GET: ({ url }) => (url.endsWith("/9") ? { data: item } : []),
      POST: () => told,
    };
    assert.deepEqual(await written(answers, stream, create), ["9", "n", "1", "1"]);
  }
});

test("what an answer has beside the address of a new record is not taken for its id", async () => {
  const fields = { id: "text", name: "text", price: "integer", stock: "integer" };
  const stream = { create: "POST /items", assigned: true, record: "data", fields };
  const create = { kind: "create", values: [undefined, "n", "1", "1"] };
  for (const told of ["Created", 1, { ok: true, by: { id: "1" } }]) {
    const answers: Answers = {
      GET: ({ url }) => {
        const id = url.split("/").at(-1);
        const name = id === "9" ? "n" : "other";
        return id === "items" ? [] : { data: { id, name, price: 1, stock: 1 } };
      },
      POST: () => told,
    };
    const made = await written(answers, stream, create, { location: "/items/9" });
    assert.deepEqual(made, ["9", "n", "1", "1"]);
  }
});
