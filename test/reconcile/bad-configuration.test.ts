import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSyncError } from "../../src/model/sync-error.ts";
import { createScene, type Row } from "./scene.ts";

const SHOP = { system: "shop", stream: "product" };
const WAREHOUSE = { system: "warehouse", stream: "warehouse" };

/** A sync that is in order, but for the change. */
const sync = (change: Row = {}, shop: Row = {}, warehouse: Row = {}): Row => ({
  sides: { shop: { ...SHOP, ...shop }, warehouse: { ...WAREHOUSE, ...warehouse } },
  match: "sku",
  fields: { sku: null, name: null, price: { type: "decimal" }, status: null },
  ...change,
});

const rule = (parts: Row): Row => ({ policy: { rules: [{ name: "r", ...parts }] } });

const CASES: readonly (readonly [
  name: string,
  sync: Row,
  code: string,
  says: readonly RegExp[],
])[] = [
  [
    "one side",
    sync({ sides: { shop: SHOP } }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.sides has fewer than two sides/],
  ],
  [
    "a hub that is no side",
    sync({ hub: "shpo" }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.hub is "shpo", which is no side \(did you mean "shop"\?\)/],
  ],
  [
    "a hub that has no say",
    sync({ hub: "shop" }, { direction: "write" }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.hub is "shop", which has no say: its direction is write/],
  ],
  [
    "an unknown system",
    sync({}, { system: "shpo" }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.sides\.shop\.system/, /no configured system/, /did you mean "shop"/],
  ],
  [
    "an unknown stream",
    sync({}, { stream: "products" }),
    "STREAM_UNKNOWN",
    [/"shop" has no stream "products"/, /product/],
  ],
  [
    "an unknown field of a side",
    sync({}, { fields: { name: "titel" } }),
    "CONFIG_INVALID",
    [
      /syncs\.inventory\.sides\.shop: name is mapped to "titel", which this side does not have/,
      /it has sku, name, price, status/,
    ],
  ],
  [
    "a mapping of a field that is not shared",
    sync({}, { fields: { nmae: "name" } }),
    "CONFIG_INVALID",
    [/sides\.shop: fields\.nmae is no shared field/, /sku, name, price, status/],
  ],
  [
    "a match field that is not shared",
    sync({ match: "code" }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.match names "code"/],
  ],
  [
    "a mapping that cannot be undone",
    sync({}, { fields: { price: { scale: "3" } } }),
    "CONFIG_INVALID",
    [/sides\.shop: price is scaled by 3/, /direction `read`/],
  ],
  [
    "a factor that is no number",
    sync({}, { fields: { price: { field: "price", scale: "0,01" } } }),
    "CONFIG_INVALID",
    [
      /yaml:\d+: .*sides\.shop\.fields\.price\.scale is "0,01"; expected a decimal number other than 0/,
    ],
  ],
  [
    "a table in which two words mean the same",
    sync({}, { fields: { status: { table: { A: "Active", B: "Active" } } } }),
    "CONFIG_INVALID",
    [/sides\.shop: status has a table in which both "A" and "B" mean "Active"/],
  ],
  [
    "a table of words for numbers",
    sync({}, { fields: { price: { table: { cheap: 1, dear: 9 } } } }),
    "CONFIG_INVALID",
    [/sides\.shop: price has the key "cheap" in its table, and "price" on this side is a decimal/],
  ],
  [
    "a table to words that the field does not take",
    sync({}, { fields: { price: { table: { 1: "cheap", 9: 9 } } } }),
    "CONFIG_INVALID",
    [/sides\.shop: price has the value "cheap" in its table; expected a decimal/],
  ],
  [
    "trimmed, but not compared so",
    sync({}, { fields: { name: { trim: true } } }),
    "CONFIG_INVALID",
    [/sides\.shop: name is trimmed/, /compare: \{ trim: true \}/],
  ],
  [
    "a bad condition",
    sync({}, { where: "price >" }),
    "CONFIG_INVALID",
    [/^lockstep\.yaml:\d+: syncs\.inventory\.sides\.shop\.where /],
  ],
  [
    "a condition over a field that is not there",
    sync({}, { where: "cost > 1" }),
    "CONFIG_INVALID",
    [/sides\.shop\.where /, /cost/],
  ],
  [
    "a bad calculation",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ then: { calculate: "value.shop +" } })),
    "CONFIG_INVALID",
    [/yaml:\d+: syncs\.inventory\.policy\.rules\[0\]\.then\.calculate/],
  ],
  [
    "a computed field that would be written",
    sync({}, { fields: { name: { computed: "sku", direction: "both" } } }),
    "CONFIG_INVALID",
    [/sides\.shop: name is computed here and cannot be written back/],
  ],
  [
    "a computed field that is a column as well",
    sync({}, { fields: { name: { field: "name", computed: "sku" } } }),
    "CONFIG_INVALID",
    [/yaml:\d+: syncs\.inventory\.sides\.shop\.fields\.name has field and computed; expected one/],
  ],
  [
    "a default where nothing is written",
    sync({}, { fields: { name: { constant: "x", default: "y" } } }),
    "CONFIG_INVALID",
    [/sides\.shop\.fields\.name has constant and default, and nothing is written there/],
  ],
  [
    "a comparison that is not for the type",
    sync({ fields: { sku: null, price: { type: "decimal", compare: { trim: true } } } }),
    "CONFIG_INVALID",
    [/yaml:\d+: .*fields\.price\.compare\.trim is for text, set, list, and .* type is decimal/],
  ],
  [
    "one stream as two sides",
    sync({ sides: { shop: SHOP, store: SHOP } }),
    "CONFIG_INVALID",
    [/sides\.store\.stream is "product" of "shop", as the side "shop" is; expected another/],
  ],
  [
    "something that leaves a side that takes all",
    sync({}, { leaving: "remove" }),
    "CONFIG_INVALID",
    [/sides\.shop\.leaving is remove, and without `where` every record has its place here/],
  ],
  [
    "no side that is read",
    sync({}, { direction: "write" }, { direction: "write" }),
    "CONFIG_INVALID",
    [/inventory\.sides are all only written to/],
  ],
  [
    "an unknown side in a policy",
    sync({ policy: { prefer: "shpo" } }),
    "CONFIG_INVALID",
    [
      /yaml:\d+: syncs\.inventory\.policy\.prefer names "shpo", which is no side/,
      /shop, warehouse/,
    ],
  ],
  [
    "an unknown side in a rule",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ when: { source_priority: ["till"] }, then: "use_latest" })),
    "CONFIG_INVALID",
    [/policy\.rules\[0\]\.when\.source_priority names "till"/],
  ],
  [
    "an unknown side in an expression",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ when: { value_based: "has(value.shpo)" }, then: "use_latest" })),
    "CONFIG_INVALID",
    [
      /yaml:\d+: syncs\.inventory\.policy\.rules\[0\]\.when\.value_based /,
      /"shpo" is no side \(did you mean "shop"\?\); known: shop, warehouse \(at character 5\)/,
    ],
  ],
  [
    "an unknown field in an expression",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ then: { calculate: 'record["shop"].pricee' } })),
    "CONFIG_INVALID",
    [/"pricee" is no shared field \(did you mean "price"\?\); known: sku, name, price, status/],
  ],
  [
    "an unknown field of a side in an expression",
    sync({}, { fields: { name: { computed: 'fields["nmae"]' } } }),
    "CONFIG_INVALID",
    [/"nmae" is no field \(did you mean "name"\?\)/],
  ],
  [
    "an unknown field in a rule",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ when: { field_priority: ["prise"] }, then: "use_latest" })),
    "CONFIG_INVALID",
    [
      /rules\[0\]\.when\.field_priority names "prise", which is no shared field/,
      /shared fields: sku, name, price, status/,
    ],
  ],
  [
    "an unknown policy",
    sync({ policy: "newest" }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.policy/, /latest-wins, merge, review/],
  ],
  [
    "a policy's settings of another kind",
    sync({ policy: ["latest-wins", { priority: "shop" }] }),
    "CONFIG_INVALID",
    [/policy\[1\]\.priority is "shop"; expected a list of side names/],
  ],
  [
    "a misspelt policy",
    sync({ policy: { preferr: "shop" } }),
    "CONFIG_INVALID",
    [/policy\.preferr is not a known key \(did you mean "prefer"\?\)/, /allowed: latest-wins, /],
  ],
  [
    "a misspelt action",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ then: { calc: "1" } })),
    "CONFIG_INVALID",
    [/rules\[0\]\.then\.calc is not .*\(did you mean "calculate"\?\); allowed: prefer_source, /],
  ],
  [
    "a misspelt condition",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ when: { field_prioritty: ["price"] }, then: "use_latest" })),
    "CONFIG_INVALID",
    [
      /rules\[0\]\.when\.field_prioritty is not a known key \(did you mean "field_priority"\?\)/,
      /allowed: field_priority, source_priority, /,
    ],
  ],
  [
    "an age that is no duration",
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word.
    sync(rule({ when: { time_based: { within: { side: "shop", age: "1day" } } }, then: "merge" })),
    "CONFIG_INVALID",
    [/when\.time_based\.within\.age is "1day"; expected a duration such as 30s/],
  ],
  [
    "two policies in one entry",
    sync({ policy: { prefer: "shop", priority: ["shop"] } }),
    "CONFIG_INVALID",
    [/syncs\.inventory\.policy has prefer and priority, which do not go together/],
  ],
  [
    "a misspelt part of a mapping",
    sync({}, { fields: { status: { field: "status", tabel: {} } } }),
    "CONFIG_INVALID",
    [/fields\.status\.tabel is not a known key \(did you mean "table"\?\); allowed: field, /],
  ],
  [
    "an unknown field in a list for each field",
    sync({ policy: { "field-by-field": { fields: { prize: "merge" } } } }),
    "CONFIG_INVALID",
    [/field-by-field\.fields\.prize is no shared field/, /sku, name, price, status/],
  ],
  [
    "misspelt sides",
    { sids: {}, match: "sku" },
    "CONFIG_INVALID",
    [/sids is not a known key \(did you mean "sides"\?\)/],
  ],
  [
    "an unknown word for a side",
    sync({}, { direktion: "read" }),
    "CONFIG_INVALID",
    [/sides\.shop/, /direktion/, /direction/],
  ],
  [
    "a side that takes no writes",
    sync({}, { stream: "shown" }),
    "CONFIG_INVALID",
    [/sides\.shop: direction is both, but "shown" takes no writes/, /direction: read/],
  ],
  [
    "a mark by a field that is not shared",
    sync({}, { remove: { mark: { gone: true } } }),
    "CONFIG_INVALID",
    [/sides\.shop: remove\.mark\.gone is no shared field/, /sku, name, price, status/],
  ],
  [
    "a mark by a value that does not fit",
    sync({}, { remove: { mark: { price: "much" } } }),
    "CONFIG_INVALID",
    [/sides\.shop: remove\.mark\.price/, /decimal/],
  ],
  [
    "a mark by nothing",
    sync({}, { remove: { mark: {} } }),
    "CONFIG_INVALID",
    [/sides\.shop\.remove\.mark is a mapping; expected the fields, one at least, that mark/],
  ],
  [
    "a mark by what records are matched by",
    sync({}, { remove: { mark: { sku: "gone" } } }),
    "CONFIG_INVALID",
    [/sides\.shop: remove\.mark\.sku is what records are matched by/],
  ],
  [
    "a mark that the side has no word for",
    sync(
      {},
      { remove: { mark: { status: "Gone" } }, fields: { status: { table: { A: "Active" } } } },
    ),
    "CONFIG_INVALID",
    [/remove\.mark\.status cannot be written on this side: .*"Gone".* its table has only "Active"/],
  ],
  [
    "a mark by a field that is not written here",
    sync({}, { remove: { mark: { status: "X" } }, fields: { status: { direction: "read" } } }),
    "CONFIG_INVALID",
    [/sides\.shop: remove\.mark\.status/, /is not written/],
  ],
  [
    "a value on create that does not fit",
    sync({}, { onCreate: { price: "much" } }),
    "CONFIG_INVALID",
    [/sides\.shop: price is given "much" on create/, /decimal/],
  ],
  [
    "two shared fields in one column",
    sync({}, { fields: { name: "status" } }),
    "CONFIG_INVALID",
    [/sides\.shop: /, /written twice/],
  ],
];

test("a system that is not in order is one mistake, not one for each side that names it", async (t) => {
  const scene = createScene(t);
  scene.csv("warehouse.csv", "sku");
  scene.configure({
    systems: {
      shop: { connector: "rest", url: "https://example.com", paging: { style: "pages" } },
    },
    sync: sync(),
  });
  const { err } = await scene.cli("plan");
  assert.match(err, /systems\.shop\.paging\.style is "pages"; allowed: none, page, offset, cursor/);
  assert.doesNotMatch(err, /no configured system/);
});

describe("a sync of sides that is not in order is refused, with the place and what is allowed", () => {
  for (const [name, own, code, says] of CASES) {
    test(name, async (t) => {
      const scene = createScene(t);
      scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, name TEXT,
          price DECIMAL(10,2), status TEXT);
        CREATE VIEW shown AS SELECT * FROM product`);
      scene.csv("warehouse.csv", "sku,name,price,status", "A,Anvil,1.5,Active");
      scene.configure({
        systems: {
          shop: { connector: "sqlite", path: "./shop.db", tables: { shown: { key: "sku" } } },
        },
        sync: own,
      });
      await assert.rejects(scene.run(), (error) => {
        assert.ok(isSyncError(error), String(error));
        assert.equal(error.code, code, error.message);
        for (const word of says) assert.match(error.message, word);
        return true;
      });
      assert.deepEqual(scene.rows("SELECT * FROM product"), [], "nothing was written");
    });
  }
});
