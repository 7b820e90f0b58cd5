import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ErrorJson } from "../../src/cli/json.ts";
import type { StreamCertificate } from "../../src/engine/certificate/certify-stream.ts";
import { createSidesScene, type SidesScene } from "./sides-scene.ts";

const SHEET = "sku,price,stock\nA,1.5,3\n";

/** The shop's database, and a file that takes part in a sync of its own. */
function createScene(t: TestContext): SidesScene {
  const scene = createSidesScene(t);
  writeFileSync(join(scene.folder, "sheet.csv"), SHEET);
  const config = join(scene.folder, "lockstep.yaml");
  const text = readFileSync(config, "utf8")
    .replace("systems:\n", "systems:\n  sheet: { connector: file, path: ./sheet.csv, key: sku }\n")
    .replace(
      "syncs:\n",
      `syncs:
  other:
    match: sku
    fields: { sku: }
    sides:
      shop: { system: shopdb, stream: product }
      sheet: { system: sheet, stream: sheet }
`,
    );
  writeFileSync(config, text);
  return scene;
}

test("check --certificate tells what survives in a real table, and leaves it as it was", async (t) => {
  const scene = createScene(t);
  const before = scene.shop("SELECT * FROM product ORDER BY sku");
  const no = await scene.lockstep(["check", "--certificate", "shopdb.product"], ["n"]);
  assert.match(no.err, /Make a record in product of shopdb, write to it about \d+ times, and/);
  assert.equal(no.exit, 5);

  const { exit, out } = await scene.lockstep(["check", "--certificate", "shopdb.product"]);
  assert.equal(exit, 0);
  assert.match(out, /^product of shopdb \(sqlite\): \d+ of \d+ values come back exactly\.\n/);
  assert.match(out, /^price +decimal\(12,2\) +8 +0 +1$/m);
  assert.match(out, /^ {2}half of a surrogate pair is refused: /m);
  assert.deepEqual(scene.shop("SELECT * FROM product ORDER BY sku"), before);
});

test("a file's certificate names what becomes of each value; its text stays to the byte", async (t) => {
  const scene = createScene(t);
  const { result } = await scene.json<StreamCertificate>("check", "--certificate", "sheet.sheet");
  assert.equal(result.connector, "file");
  const fates = Map.groupBy(result.entries, ({ field }) => field);
  assert.deepEqual([...fates.keys()], ["price", "stock", "sku"]);
  assert.deepEqual(
    result.entries.filter(({ fate }) => fate !== "exact").map(({ field, name }) => [field, name]),
    [["sku", "half of a surrogate pair"]],
  );
  assert.equal(readFileSync(join(scene.folder, "sheet.csv"), "utf8"), SHEET);
});

test("a table that takes no such record says why, and nothing stays behind", async (t) => {
  const scene = createScene(t);
  scene.shop(
    "CREATE TRIGGER no_more BEFORE INSERT ON product BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  const before = scene.shop("SELECT * FROM product ORDER BY sku");
  const refused = await scene.json<ErrorJson>("check", "--certificate", "shopdb.product");
  assert.equal(refused.exit, 1);
  assert.equal(refused.result.error.code, "CERTIFICATE_REFUSED");
  assert.match(refused.result.error.message, /"product" does not take the record .*full/);
  assert.deepEqual(scene.shop("SELECT * FROM product ORDER BY sku"), before);
});

test("a record that cannot be deleted again is named", async (t) => {
  const scene = createScene(t);
  scene.shop("CREATE TRIGGER stay BEFORE DELETE ON product BEGIN SELECT RAISE(ABORT, 'kept'); END");
  const left = await scene.json<ErrorJson>("check", "--certificate", "shopdb.product");
  assert.equal(left.result.error.code, "CERTIFICATE_LEFT");
  const rows = scene.shop("SELECT sku FROM product WHERE sku LIKE 'lockstep-certificate-%'");
  assert.equal(rows.length, 1);
  assert.ok(left.result.error.message.includes(String(rows[0]?.[0])), left.result.error.message);
});

test("what is not there is refused with what is", async (t) => {
  const scene = createScene(t);
  for (const [place, message] of [
    ["shopdb", /expected SYSTEM\.STREAM/],
    ["nothing.product", /No sync uses a system "nothing"; used: /],
    ["shopdb.produce", /"shopdb" has no stream "produce"; streams: product/],
  ] as const) {
    const { exit, result } = await scene.json<ErrorJson>("check", "--certificate", place);
    assert.equal(exit, 2);
    assert.match(result.error.message, message);
  }
});
