import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Scene } from "./scene.ts";

interface Parts {
  readonly policy?: string;
  readonly shop?: string;
}

interface TypedScene extends Pick<Scene, "cli" | "cells" | "rows" | "sql" | "directory"> {
  /** Writes another configuration: a module of another name, since this process keeps the first. */
  write(parts: Parts): void;
}

/** A sync whose shop and warehouse differ in everything, configured in TypeScript. */
function scene(t: TestContext, parts: Parts): TypedScene {
  const made = createScene(t);
  made.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, price DECIMAL(10,2), stock INTEGER,
      updated_at DATETIME);
    INSERT INTO product VALUES ('A', 'Anvil', 9, 3, '2026-01-02 00:00:00'),
      ('B', 'Bell', 10, 0, '2026-01-01 00:00:00')`);
  made.csv("warehouse.csv", "sku,name,price,stock", "A,Amboss,11,4", "B,Glocke,12,5");
  let count = 0;
  const write = (own: Parts): void => {
    count += 1;
    writeFileSync(join(made.directory, `${count}.config.ts`), configuration(own));
  };
  write(parts);
  const cli: Scene["cli"] = (...args) => made.cli("--config", `${count}.config.ts`, ...args);
  return { ...made, cli, write };
}

const configuration = ({ policy = '"review"', shop = "" }: Parts): string =>
  `export default {
      systems: {
        shop: { connector: "sqlite", path: "./shop.db" },
        warehouse: { connector: "file", path: "./warehouse.csv", key: "sku" },
      },
      syncs: { inventory: {
        sides: {
          shop: { system: "shop", stream: "product", ${shop} },
          warehouse: { system: "warehouse", stream: "warehouse" },
        },
        match: "sku",
        fields: { sku: null, name: null, price: { type: "decimal" }, stock: null },
        policy: ${policy},
      } },
    };\n`;

const rules = (...list: readonly string[]): string =>
  `[{ rules: [${list.join(", ")}] }, { prefer: "warehouse" }]`;

describe("functions in TypeScript, where an expression may stand", () => {
  test("a rule's conditions and its calculation", async (t) => {
    const at = scene(t, {
      policy: rules(
        `{ name: "middle", when: { field_priority: ["price"],
            value_based: ({ value }) => Number(value.shop) < 10 },
           then: { calculate: function middle({ value, field, base, record, now }) {
             if (field !== "price" || base !== null || !now.endsWith("Z")) throw new Error("not told");
             return (Number(value.shop) + Number(record.warehouse.price)) / 2;
           } } }`,
        `{ name: "fresh", when: { field_priority: ["name"],
            time_based: ({ at }) => at.shop > "2026-01-01T12:00:00Z" },
           then: { prefer_source: "shop" } }`,
      ),
    });
    assert.equal((await at.cli("run")).exit, 0);
    assert.deepEqual(at.cells("warehouse.csv"), {
      A: { sku: "A", name: "Anvil", price: "10", stock: "4" },
      B: { sku: "B", name: "Glocke", price: "12", stock: "5" },
    });
    const { out } = await at.cli("explain", "inventory", "A", "price");
    assert.match(out, /Rule: rules: middle: calculated by middle\(\)/);
  });

  test("one that fails, or gives what does not fit, decides nothing and says why", async (t) => {
    const at = scene(t, {
      policy: rules(
        `{ name: "slip", when: { field_priority: ["price"] }, then: { calculate: () => { throw new Error("no such thing"); } } }`,
        `{ name: "unfit", when: { field_priority: ["stock"] }, then: { calculate: () => 1.5 } }`,
        `{ name: "late", when: { field_priority: ["name"], value_based: async () => true }, then: "use_latest" }`,
      ),
    });
    assert.equal((await at.cli("run")).exit, 4);
    const { out } = await at.cli("conflicts", "list", "inventory", "--name", "A");
    assert.match(out, /3 conflicts/);
    const why = async (id: number): Promise<string> =>
      (await at.cli("conflicts", "show", String(id))).out;
    const told = `${await why(1)}${await why(2)}${await why(3)}${await why(4)}`;
    assert.match(told, /price: slip: a function failed: no such thing/);
    assert.match(told, /stock: unfit: "a function" gave "1.5", which does not fit stock/);
    assert.match(told, /name: late: a function gave a promise; a function must answer at once/);
  });

  test("a side's computed field and its filter, whose slip removes nothing", async (t) => {
    const at = scene(t, {
      policy: '{ prefer: "shop" }',
      shop: `leaving: "remove", where: ({ stock }) => Number(stock) < 4,
        fields: { name: { computed: (row) => row.name.toUpperCase() + " " + row.sku } }`,
    });
    assert.equal((await at.cli("run")).exit, 0);
    assert.equal(at.cells("warehouse.csv")["A"]?.["name"], "ANVIL A");
    at.write({
      policy: '{ prefer: "shop" }',
      shop: `leaving: "remove", where: ({ stock }) => stock.toFixed() < 4`,
    });
    const { out, err } = await at.cli("run");
    assert.match(
      out + err,
      /function at syncs\.inventory\.sides\.shop\.where failed: stock\.toFixed/,
    );
    at.write({ policy: '{ prefer: "shop" }', shop: `leaving: "remove", where: () => undefined` });
    const nothing = await at.cli("run");
    assert.match(nothing.out + nothing.err, /shop\.where gave nothing; expected true or false/);
    assert.equal(at.rows("SELECT * FROM product").length, 2);
  });

  test("a filter that fails on a new record ends the run, and is no trouble of the side", async (t) => {
    const at = scene(t, {
      policy: '{ prefer: "shop" }',
      shop: `where: ({ sku }) => { if (sku === "N") throw new Error("no such thing"); return true; }`,
    });
    assert.equal((await at.cli("run")).exit, 0);
    at.sql("INSERT INTO product (sku, name) VALUES ('N', 'New')");
    const { exit, err } = await at.cli("run");
    assert.equal(exit, 2);
    assert.match(err, /CONFIG_INVALID/);
    assert.match(err, /function at syncs\.inventory\.sides\.shop\.where failed: no such thing/);
  });

  test("another function is another configuration: a saved plan is refused", async (t) => {
    const own = (factor: string): string =>
      rules(`{ name: "r", then: { calculate: ({ value }) => ${factor} * Number(value.shop) } }`);
    const at = scene(t, { policy: own("1") });
    assert.equal((await at.cli("plan", "inventory", "--out", "kept.plan")).exit, 5);
    at.write({ policy: own("2") });
    const { err } = await at.cli("apply", "kept.plan");
    assert.match(err, /PLAN_STALE/);
    at.write({ policy: own("1") });
    assert.doesNotMatch((await at.cli("apply", "kept.plan")).err, /PLAN_STALE/);
  });
});

describe("field-by-field, as a policy among others", () => {
  test("each field by its own list, the others by `otherwise`, then the next policy", async (t) => {
    const at = scene(t, {
      policy: `[{ "field-by-field": { fields: { name: [{ prefer: "shop" }], stock: "merge" },
        otherwise: { priority: ["warehouse"] } } }, { prefer: "shop" }]`,
    });
    assert.equal((await at.cli("run")).exit, 0);
    assert.deepEqual(at.cells("warehouse.csv"), {
      A: { sku: "A", name: "Anvil", price: "11", stock: "3" },
      B: { sku: "B", name: "Bell", price: "12", stock: "0" },
    });
    const { out } = await at.cli("explain", "inventory", "A", "name");
    assert.match(out, /Rule: field-by-field: prefer: shop: shop is preferred/);
  });
});
