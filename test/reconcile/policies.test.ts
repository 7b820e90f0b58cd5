import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Scene } from "./scene.ts";

const SHOP = { system: "shop", stream: "product" };

describe("policies, as they stand in the configuration", () => {
  const product = (t: TestContext, policy: unknown, fields?: unknown): Scene => {
    const scene = createScene(t);
    scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, name TEXT, stock INTEGER,
      changed TIMESTAMP); INSERT INTO product VALUES ('A', 'one', 5, '2026-01-01 00:00:00')`);
    scene.sql(`CREATE TABLE other (sku TEXT PRIMARY KEY NOT NULL, name TEXT, stock INTEGER,
      changed TIMESTAMP); INSERT INTO other VALUES ('A', 'one', 5, '2026-01-01 00:00:00')`);
    const tables = { product: { modifiedAt: "changed" }, other: { modifiedAt: "changed" } };
    scene.configure({
      systems: { shop: { connector: "sqlite", path: "./shop.db", tables } },
      sync: {
        sides: { left: SHOP, right: { system: "shop", stream: "other" } },
        match: "sku",
        policy,
        fields: fields ?? { sku: null, name: null, stock: null },
      },
    });
    return scene;
  };
  /** Both edit the name, the left one later; what is agreed in the end, or that it waits. */
  const contest = async (scene: Scene, left = "left", right = "right"): Promise<string> => {
    await scene.run();
    scene.sql(`UPDATE product SET name = '${left}', stock = 7, changed = '2026-03-02 00:00:00';
      UPDATE other SET name = '${right}', stock = 9, changed = '2026-03-01 00:00:00'`);
    const { applied } = await scene.run();
    assert.deepEqual(await scene.plan(), []);
    const names = ["product", "other"].flatMap((table) =>
      scene.rows(`SELECT name, stock FROM ${table}`),
    );
    const said = names.map(({ name, stock }) => `${name} ${stock}`).join(" | ");
    return applied.inReview > 0 ? `waits: ${said}` : said;
  };
  const cases: readonly (readonly [
    name: string,
    policy: unknown,
    said: string,
    fields?: unknown,
  ])[] = [
    ["none", undefined, "waits: left 7 | right 9"],
    ["review", "review", "waits: left 7 | right 9"],
    ["latest-wins", "latest-wins", "left 7 | left 7"],
    ["latest-wins with ties", { "latest-wins": { ties: ["right"] } }, "left 7 | left 7"],
    ["priority", { priority: ["right", "left"] }, "right 9 | right 9"],
    ["prefer", { prefer: "right" }, "right 9 | right 9"],
    ["merge has no answer for two texts", ["merge", { prefer: "left" }], "left 7 | left 7"],
    [
      "field by field",
      { prefer: "left" },
      "left 9 | left 9",
      { sku: null, name: null, stock: { policy: { prefer: "right" } } },
    ],
    [
      "rules: a calculation for one field, a side for the others",
      {
        rules: [
          {
            name: "sales of both",
            when: { field_priority: ["stock"] },
            // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
            then: { calculate: "value.left + value.right - base" },
          },
          // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
          { name: "the rest", then: { prefer_source: "right" } },
        ],
      },
      "right 11 | right 11",
    ],
    [
      "rules: by value, by time, by source",
      [
        {
          rules: [
            {
              name: "more is better",
              when: { field_priority: ["stock"], value_based: "value.left < value.right" },
              // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
              then: { prefer_source: "right" },
            },
            {
              name: "who wrote later",
              when: {
                time_based: { newer_than: { side: "left", than: "right" } },
                source_priority: ["left"],
              },
              // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
              then: "use_latest",
            },
          ],
        },
        "review",
      ],
      "left 9 | left 9",
    ],
  ];
  for (const [name, policy, said, fields] of cases) {
    test(name, async (t) => assert.equal(await contest(product(t, policy, fields)), said));
  }

  test("merge takes the value that is there over a blank one", async (t) => {
    const scene = product(t, "merge");
    await scene.run();
    scene.sql("UPDATE product SET name = NULL; UPDATE other SET name = 'there'");
    await scene.run();
    assert.deepEqual(scene.rows("SELECT name FROM product"), [{ name: "there" }]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("an edit against a delete, as `deletes` says", async (t) => {
    for (const [againstEdit, rows] of [
      ["edit-wins", 1],
      ["delete-wins", 0],
    ] as const) {
      const scene = product(t, "review");
      scene.reconfigure((sync) => ({ ...sync, deletes: { againstEdit } }));
      scene.sql("INSERT INTO product (sku, name) VALUES ('B', 'stays')");
      await scene.run();
      scene.sql(
        "DELETE FROM product WHERE sku = 'A'; UPDATE other SET name = 'edited' WHERE sku = 'A'",
      );
      await scene.run();
      assert.equal(scene.rows("SELECT * FROM product").length, rows + 1, againstEdit);
      assert.equal(scene.rows("SELECT * FROM other").length, rows + 1, againstEdit);
      assert.deepEqual(await scene.plan(), []);
    }
  });
});
