import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { createSystemClock } from "../../drivers/system-runtime.ts";
import type { RecordKey } from "../../model/record.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import {
  INVENTORY_ITEMS,
  type InventoryScene,
  openInventoryScene,
  walkInventory,
} from "../../testing/inventory-scene.ts";
import {
  type InventoryAuth,
  type SampleInventory,
  startSampleInventory,
} from "../../testing/sample-inventory/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import { restConfigSchema } from "./config.ts";
import type { RestConfig } from "./config-types.ts";
import { createRestConnector } from "./connector.ts";
import { resolveRestSettings } from "./resolve-settings.ts";

const { signal } = new AbortController();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function scene(...settings: Parameters<typeof openInventoryScene>): Promise<InventoryScene> {
  const opened = await openInventoryScene(...settings);
  closing.push(opened.close);
  return opened;
}

type Named = Readonly<Record<string, Value>>;

async function write(
  { connector, schema }: InventoryScene,
  ...changes: readonly (Partial<WriteOperation> & { named?: Named; was?: Named })[]
): Promise<readonly WriteOutcome[]> {
  const found = await schema();
  const values = (named: Named = {}) => found.fields.map(({ name }) => named[name]);
  const operations = changes.map(
    ({ named, was, ...rest }, index) =>
      ({
        id: `operation ${index}`,
        values: values(named),
        ...(rest.kind === "create" ? {} : { expected: { values: values(was) } }),
        ...rest,
      }) as WriteOperation,
  );
  return (await connector.write?.({ schema: found }, operations, signal)) ?? [];
}

const key = (text: string): RecordKey => text as RecordKey;
const told = (outcomes: readonly WriteOutcome[]) =>
  outcomes.map((outcome) => (outcome.kind === "rejected" ? outcome.problem.message : outcome.kind));

suite("who asks", () => {
  const ways: readonly [InventoryAuth, (inventory: SampleInventory) => object][] = [
    [{ kind: "bearer", token: "the-secret" }, () => ({ token: "the-secret" })],
    [
      { kind: "basic", username: "ann", password: "the-secret" },
      () => ({ username: "ann", password: "the-secret" }),
    ],
    [
      { kind: "header", name: "X-Api-Key", key: "the-secret" },
      () => ({ apiKey: "the-secret", apiKeyHeader: "X-Api-Key" }),
    ],
    [
      { kind: "parameter", name: "api_key", key: "the-secret" },
      () => ({ apiKey: "the-secret", apiKeyParameter: "api_key" }),
    ],
    [
      { kind: "oauth", clientId: "me", clientSecret: "the-secret" },
      ({ tokenUrl }) => ({
        grant: "client_credentials",
        tokenUrl,
        clientId: "me",
        clientSecret: "the-secret",
      }),
    ],
  ];
  for (const [auth, settings] of ways) {
    test(`${auth.kind}: is let in, refused with a wrong one, and never told`, async () => {
      const inventory = await startSampleInventory({ auth, items: 3 });
      closing.push(() => inventory.close());
      const good = settings(inventory);
      for (const system of [
        good,
        JSON.parse(JSON.stringify(good).replace("the-secret", "wrong-one")),
      ]) {
        const url = inventory.url;
        const config = restConfigSchema.parse({
          url,
          ...system,
          streams: { items: INVENTORY_ITEMS },
        });
        const connector = createRestConnector(
          resolveRestSettings(config as unknown as RestConfig),
          {
            http: createUndiciTransport(),
            clock: createSystemClock(),
            memory: { recall: async () => undefined, remember: async () => undefined },
          },
        );
        closing.push(() => connector.close());
        const check = connector.check(signal);
        if (system === good) {
          assert.match((await check).summary, /: 1 stream$/);
          continue;
        }
        const error = await check.then(
          () => assert.fail("it was let in"),
          (thrown: unknown) => thrown,
        );
        assert.ok(isSyncError(error));
        assert.equal(error.code, "CONNECTOR_UNAUTHORIZED");
        assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /wrong-one/);
      }
    });
  }

  test("a link to another origin gets no credentials", async () => {
    const at = await scene({ paging: "next" }, { paging: { style: "next", from: "links.next" } });
    const elsewhere = await startSampleInventory({ paging: "next", items: 3 });
    closing.push(() => elsewhere.close());
    at.inventory.onRequest(() => undefined);
    const config = restConfigSchema.parse({
      url: at.inventory.url,
      streams: {
        items: { ...INVENTORY_ITEMS, paging: { style: "next", from: "data.items.0.name" } },
      },
    });
    at.inventory.update([1], { name: `${elsewhere.url}/items` });
    const connector = createRestConnector(resolveRestSettings(config as unknown as RestConfig), {
      http: createUndiciTransport(),
      clock: createSystemClock(),
      memory: { recall: async () => undefined, remember: async () => undefined },
    });
    closing.push(() => connector.close());
    await assert.rejects(walkInventory({ ...at, connector }), { code: "PAGING_FOREIGN_ORIGIN" });
    assert.equal(elsewhere.requests.length, 0);
  });
});

suite("writes", () => {
  test("somebody who is faster wins: ETag", async () => {
    const at = await scene();
    let edits = 0;
    at.inventory.onRequest(({ method }) => {
      if (method !== "PATCH" || edits > 0) return;
      edits += 1;
      at.inventory.update([1], { note: "theirs" });
    });
    const outcomes = await write(at, {
      kind: "update",
      key: key("1"),
      named: { stock: "99" },
      was: { stock: "1", note: null },
    });
    assert.deepEqual(told(outcomes), ["conflict"]);
    assert.equal(at.inventory.items()[0]?.stock, 1);
    // What was not expected is no conflict: the write is made over the newer item.
    edits = 0;
    assert.deepEqual(
      told(
        await write(at, {
          kind: "update",
          key: key("1"),
          named: { stock: "9" },
          was: { stock: "1" },
        }),
      ),
      ["written"],
    );
    assert.equal(at.inventory.items()[0]?.note, "theirs");
  });

  test("a PUT keeps what is not described", async () => {
    const at = await scene({ updates: "PUT" }, { update: "PUT /items/{id}" });
    const outcomes = await write(at, { kind: "update", key: key("2"), named: { price: "0.125" } });
    assert.deepEqual(told(outcomes), ["written"]);
    const item = at.inventory.items()[1];
    assert.deepEqual([item?.price, item?.supplier], ["0.125", { code: "S2" }]);
  });

  test("exact numbers go there and back", async () => {
    const at = await scene();
    const price = "123456789012345678.123456789";
    const [outcome] = await write(at, { kind: "create", named: { sku: "X", name: "n", price } });
    assert.ok(outcome?.kind === "written");
    assert.equal(at.inventory.items().at(-1)?.price, price);
    assert.equal(outcome.stored?.values[3], price);
  });

  test("a lost answer: the create is told to be unknown, and the same again makes nothing", async () => {
    const at = await scene({}, { idempotency: "Idempotency-Key" });
    at.inventory.fail({ kind: "lost", method: "POST" });
    const create = { kind: "create", id: "order 7", named: { sku: "X", name: "n" } } as const;
    const [lost] = await write(at, create);
    assert.equal(lost?.kind === "lost" && lost.error.code, "CONNECTOR_UNREACHABLE");
    const [outcome] = await write(at, create);
    assert.ok(outcome?.kind === "written");
    assert.equal(at.inventory.items().filter(({ sku }) => sku === "X").length, 1);
  });

  test("what concerns one record is its outcome; what stops the run is told with one", async () => {
    const at = await scene();
    const outcomes = await write(
      at,
      { kind: "update", key: key("1"), named: { stock: "-1" } },
      { kind: "create", named: { sku: "SKU-3", name: "n" } },
      { kind: "update", key: key("77"), named: { stock: "1" } },
      { kind: "delete", key: key("78") },
      { kind: "delete", key: key("2"), was: { stock: "5" } },
      { kind: "delete", key: key("2"), was: { stock: "2" } },
      { kind: "create", named: { sku: "new", name: "n", id: "5" } },
    );
    assert.deepEqual(told(outcomes), [
      'The server refuses the record: "The stock is not valid.".',
      'The server refuses the record: "An item of that sku exists.".',
      "conflict",
      "written",
      "conflict",
      "written",
      'Field "id" cannot be written.',
    ]);
    for (const kind of ["500", "cut", "hang-up"] as const) {
      // Discovery asks once, and the update looks before it is sent.
      at.inventory.fail({ kind, after: 2 });
      const update = { kind: "update", key: key("3"), named: { name: kind } } as const;
      const [outcome] = await write(at, update);
      assert.equal(outcome?.kind === "lost" && outcome.error.intent, "retry");
    }
  });

  test("what was not sent, or was turned away unread, is told from what was done", async () => {
    const at = await scene();
    const unsent = async (kind: "429" | "500" | "hang-up", after: number, ...ids: string[]) => {
      at.inventory.fail({ kind, after });
      const outcomes = await write(
        at,
        ...ids.map((id) => ({ kind: "delete", key: key(id) }) as const),
      );
      const left = outcomes.filter((outcome) => outcome.kind === "unsent");
      return [told(outcomes), [...new Set(left.map(({ error }) => error.code))]];
    };
    // After discovery's one request each delete looks, then is sent.
    const limited = "CONNECTOR_RATE_LIMITED";
    assert.deepEqual(await unsent("429", 1, "1", "2"), [["unsent", "unsent"], [limited]]);
    assert.deepEqual(await unsent("429", 2, "1", "2"), [["unsent", "unsent"], [limited]]);
    assert.deepEqual(await unsent("429", 4, "1", "2", "3"), [
      ["written", "unsent", "unsent"],
      [limited],
    ]);
    assert.deepEqual(await unsent("500", 3, "2", "3"), [
      ["written", "unsent"],
      ["CONNECTOR_UNAVAILABLE"],
    ]);
    assert.deepEqual(await unsent("hang-up", 1, "3"), [["unsent"], ["CONNECTOR_UNREACHABLE"]]);
    // The second one was sent, and what came of it is not known.
    assert.deepEqual(await unsent("500", 4, "4", "5", "6", "7"), [
      ["written", "lost", "unsent", "unsent"],
      ["CONNECTOR_UNAVAILABLE"],
    ]);
    at.inventory.fail({ kind: "429", after: 1 });
    const [made] = await write(at, { kind: "create", named: { sku: "new", name: "n" } });
    assert.equal(made?.kind === "unsent" && made.error.retryAfterMs, 1_000);
  });

  test("a record that says it is deleted is gone, though it is still given", async () => {
    const at = await scene({}, { deleted: "note", keys: "ids" });
    at.inventory.update([2], { note: "deleted on Monday" });
    at.inventory.update([3], { note: "" });
    const walked = await walkInventory(at);
    assert.deepEqual([walked.includes("2"), walked.includes("3")], [false, true]);
    const query = { schema: await at.schema() };
    for (const keys of [[key("2")], [key("1"), key("2"), key("3")]]) {
      const found: RecordKey[] = [];
      for await (const page of at.connector.read({ kind: "keys", query, keys }, signal)) {
        found.push(...page.records.map((record) => record.key));
      }
      assert.equal(found.includes(key("2")), false);
    }
    const outcomes = await write(
      at,
      { kind: "update", key: key("2"), named: { name: "n" } },
      { kind: "delete", key: key("2") },
    );
    assert.deepEqual(told(outcomes), ["conflict", "written"]);
    assert.equal(at.inventory.items()[1]?.name === "n", false);
  });

  test("the error map says what a status or a code stands for", async () => {
    const at = await scene({}, { errors: { SKU_TAKEN: "retry", 422: "unauthorized" } });
    const errors = [
      await write(at, { kind: "create", named: { sku: "SKU-3", name: "n" } }),
      await write(at, { kind: "update", key: key("1"), named: { stock: "-1" } }),
    ].map(([outcome]) => outcome?.kind === "lost" && outcome.error.code);
    assert.deepEqual(errors, ["CONNECTOR_UNAVAILABLE", "CONNECTOR_UNAUTHORIZED"]);
  });

  test("a stream without routes takes no writes", async () => {
    const none = { create: undefined, update: undefined, delete: undefined };
    const at = await scene({}, none);
    assert.equal((await at.schema()).traits.write, undefined);
    await assert.rejects(write(at, { kind: "delete", key: key("1") }), {
      code: "CONNECTOR_UNSUPPORTED",
    });
    const only = await scene({}, { ...none, update: "PATCH /items/{id}" });
    assert.deepEqual(told(await write(only, { kind: "delete", key: key("1") })), [
      "The API has no route to delete a record.",
    ]);
  });
});

suite("fields", () => {
  test("types are told from the first page, and never get narrower", async () => {
    const at = await scene({}, { fields: undefined });
    const kinds = async () =>
      Object.fromEntries((await at.schema()).fields.map(({ name, type }) => [name, type.kind]));
    assert.deepEqual(await kinds(), {
      id: "integer",
      sku: "text",
      name: "text",
      price: "decimal",
      stock: "integer",
      supplier: "json",
      updated_at: "timestamp",
    });
    at.inventory.update([1, 2, 3, 4], { price: "5" });
    assert.equal((await kinds())["price"], "decimal");
  });

  test("answers that are not as described say what is wrong", async () => {
    await assert.rejects((await scene({}, { records: "rows" })).schema(), {
      code: "CONNECTOR_BAD_RESPONSE",
      message: 'The answer for stream "items" has no list at `records: rows`; it has data.',
    });
    await assert.rejects(
      (
        await scene(
          {},
          { key: "uid", fields: undefined, get: undefined, update: undefined, delete: undefined },
        )
      ).schema(),
      {
        code: "FIELD_UNKNOWN",
      },
    );
    const at = await scene({ etags: false });
    const [outcome] = await write(at, { kind: "delete", key: key("1") });
    assert.equal(
      outcome?.kind === "unsent" && outcome.error.message,
      'The answer for stream "items" has no ETag, which `etag: true` needs.',
    );
  });
});
