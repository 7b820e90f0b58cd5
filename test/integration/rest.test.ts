import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { configSchema, openLockstep, systemTypes } from "../../src/app.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import {
  type SampleInventory,
  startSampleInventory,
} from "../../src/testing/sample-inventory/index.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { fakeIo } from "../support/cli-io.ts";

const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };
const EXAMPLE = /```yaml\n(systems:[\s\S]*?)```/.exec(
  readFileSync(new URL("../../docs/connectors/rest.md", import.meta.url), "utf8"),
)?.[1];

let folder: ReturnType<typeof createTemporaryFolder>;
let inventory: SampleInventory;

beforeEach(async () => {
  folder = createTemporaryFolder();
  inventory = await startSampleInventory({
    auth: { kind: "bearer", token: "the-secret" },
    items: 3,
  });
});
afterEach(async () => {
  await inventory.close();
  folder.remove();
});

async function lockstep(...args: string[]): Promise<{ exit: number; out: string; err: string }> {
  const io = fakeIo({ directory: folder.path, env: { INVENTORY_TOKEN: "the-secret" } });
  const exit = await runCli(args, io, APP);
  return { exit, out: io.stdout(), err: io.stderr() };
}

const stock = (): string => readFileSync(join(folder.path, "stock.csv"), "utf8");

suite("the example of docs/connectors/rest.md", () => {
  beforeEach(() => {
    assert.ok(EXAMPLE);
    const address = "https://inventory.example.com/api";
    assert.ok(EXAMPLE.includes(address));
    writeFileSync(join(folder.path, "lockstep.yaml"), EXAMPLE.replace(address, inventory.url));
    writeFileSync(
      join(folder.path, "stock.csv"),
      'sku;name;price;stock;shelf\r\n"SKU-1";Item 1;1.250;1;A\r\nSKU-2;Item 2;2.50;7;B\r\nNEW-1;New;0.125;4;C\r\n',
    );
  });

  test("is thirty lines", () => {
    assert.ok((EXAMPLE ?? "").trimEnd().split("\n").length <= 35);
  });

  test("is checked, and both sides are kept in step", async () => {
    const check = await lockstep("check");
    assert.equal(check.exit, 0, check.out + check.err);
    assert.match(check.out, /items: 6 fields; the first page has 3 records/);

    const first = await lockstep("run", "inventory");
    assert.equal(first.exit, 0, first.out + first.err);
    assert.deepEqual(
      inventory.items().map(({ sku, price, stock: held }) => [sku, price, held]),
      [
        ["SKU-1", "1.25", 1],
        ["SKU-2", "2.5", 2],
        ["SKU-3", "3.25", 3],
        ["NEW-1", "0.125", 4],
      ],
    );
    assert.equal(
      stock(),
      'sku;name;price;stock;shelf\r\n"SKU-1";Item 1;1.250;1;A\r\nSKU-2;Item 2;2.50;2;B\r\nNEW-1;New;0.125;4;C\r\nSKU-3;Item 3;3.25;3;\r\n',
    );
    const second = await lockstep("plan", "inventory");
    assert.deepEqual([second.exit, second.out], [0, "Nothing to do: inventory is in step.\n"]);

    inventory.update([1], { stock: 99 });
    writeFileSync(join(folder.path, "stock.csv"), stock().replace("0.125;4;C", "0.5;4;C"));
    const third = await lockstep("run", "inventory");
    assert.equal(third.exit, 0, third.out + third.err);
    assert.equal(inventory.items().find(({ sku }) => sku === "NEW-1")?.price, "0.5");
    assert.match(stock(), /"SKU-1";Item 1;1\.250;99;A\r\n/);
    assert.doesNotMatch(check.out + first.out + third.out, /the-secret/);
  });

  test("a wait that the service asks for is told while the run goes on", async () => {
    inventory.fail({ kind: "429", method: "GET" });
    const run = await lockstep("run", "inventory");
    assert.equal(run.exit, 0, run.out + run.err);
    assert.match(run.err, / {2}inventory: warehouse waiting 1 s, until [0-9:]+: .*429/);
  });
});

suite("a description with a mistake", () => {
  const items = "list: /items, get: '/items/{id}', key: id";
  const cases: readonly [string, string, string][] = [
    ["url", `url: http://example.com, streams: { items: { ${items} } }`, "systems.shop.url"],
    ["no stream", "streams: {}", "systems.shop.streams"],
    ["no key", "streams: { items: { list: /items } }", "systems.shop.streams.items.key"],
    [
      "method",
      `streams: { items: { ${items}, update: 'GET /items/{id}' } }`,
      "systems.shop.streams.items.update",
    ],
    [
      "place",
      `streams: { items: { ${items}, delete: '/items/{sku}' } }`,
      "systems.shop.streams.items.delete",
    ],
    [
      "no place",
      `streams: { items: { ${items}, delete: /items } }`,
      "systems.shop.streams.items.delete",
    ],
    [
      "changes",
      `streams: { items: { ${items}, changes: since } }`,
      "systems.shop.streams.items.changes",
    ],
    [
      "paging",
      `streams: { items: { ${items}, paging: { style: pages } } }`,
      "systems.shop.streams.items.paging",
    ],
    [
      "size",
      `streams: { items: { ${items}, paging: { style: page, parameter: p } } }`,
      "systems.shop.streams.items.paging",
    ],
    [
      "reaction",
      `streams: { items: { ${items}, errors: { 409: ignore } } }`,
      "systems.shop.streams.items.errors",
    ],
    ["api key", `apiKey: env:X, streams: { items: { ${items} } }`, "systems.shop.apiKey"],
    ["basic", `username: env:X, streams: { items: { ${items} } }`, "systems.shop.password"],
    ["typo", `streams: { items: { ${items}, lists: /items } }`, "systems.shop.streams.items.lists"],
  ];
  for (const [name, system, path] of cases) {
    test(`${name}: is told with its place`, async () => {
      const url = system.startsWith("url") ? "" : `url: ${inventory.url}, `;
      writeFileSync(
        join(folder.path, "lockstep.yaml"),
        `systems:\n  shop: { connector: rest, ${url}${system} }\nsyncs:\n  s: { replicate: shop, streams: { items: } }\n`,
      );
      const { exit, err } = await lockstep("check");
      assert.equal(exit, 2, err);
      assert.ok(err.includes(path), err);
      assert.equal(inventory.requests.length, 0);
    });
  }
});
