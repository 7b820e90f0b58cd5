import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type {
  ConflictsJson,
  ErrorJson,
  HaltsJson,
  HistoryJson,
  PlanJson,
  RunJson,
  SidesRun,
  VerifyJson,
} from "../../src/cli/json.ts";
import type { Explanation } from "../../src/engine/reconcile/explain-value.ts";
import type { SidesPlan } from "../../src/engine/reconcile/plan-view.ts";
import type { CheckReport, StatusResult } from "../../src/engine/results.ts";
import { createSidesScene, type SidesScene } from "./sides-scene.ts";

async function planOf(
  { json }: SidesScene,
  ...args: readonly string[]
): Promise<{ readonly exit: number; readonly plan: SidesPlan }> {
  const { exit, result } = await json<PlanJson>("plan", "inventory", ...args);
  const [plan] = result.plans;
  assert.ok(plan?.kind === "reconcile", JSON.stringify(result));
  return { exit, plan };
}

test("plan shows a diff and writes nothing; apply does exactly that; a second plan is empty but for what waits", async (t) => {
  const scene = createSidesScene(t);
  const { exit, out } = await scene.lockstep(["plan", "inventory", "--first"]);
  assert.equal(exit, 5);
  assert.equal(
    out.split("\n")[0],
    "To do: inventory: 1 create and 1 update on shop, 1 create on stock; 1 record waits for a person.",
  );
  assert.match(out, /price {2}10 → 11 {2}latest-wins: stock wrote last, at .*; beats shop 10/);
  assert.match(out, /stock {2}4 → 5 {4}prefer: stock is preferred; beats shop 4/);
  assert.match(out, /on shop and stock {8}2 {7}2 {2}SKU-1, SKU-2/);
  assert.match(out, /SKU-6 {2}stock: 4, 5/);
  assert.match(
    out,
    /waits {2}title: no policy decides it\n {6}base {3}never agreed\n {6}shop {3}Bowl/,
  );
  assert.deepEqual(scene.article("SKU-1"), { shop: [10, "Mug"], stock: [11, "Mug"] });

  const applied = await scene.json<SidesRun>("apply", "inventory");
  assert.equal(applied.exit, 4);
  assert.equal(applied.result.inReview, 1);
  assert.equal(applied.result.sides["shop"]?.written, 2);
  assert.equal(applied.result.sides["stock"]?.written, 1);
  assert.deepEqual(scene.article("SKU-1"), { shop: [11, "Mug"], stock: [11, "Mug"] });
  assert.deepEqual(scene.article("SKU-3"), { shop: [8, "Plate"], stock: [8, "Plate"] });

  const again = await planOf(scene);
  assert.equal(again.exit, 4);
  assert.equal(again.plan.due, false);
  assert.equal(again.plan.records.waiting, 1);

  await scene.lockstep(["conflicts", "resolve", "1", "--take", "shop"]);
  assert.equal((await scene.lockstep(["run", "inventory"])).exit, 0);
  assert.deepEqual(scene.article("SKU-2"), { shop: [12.5, "Bowl"], stock: [12.5, "Bowl"] });
  scene.stock("DELETE FROM item WHERE code = 'SKU-6' RETURNING 1");
  const last = await scene.lockstep(["plan", "inventory"]);
  assert.deepEqual(
    { exit: last.exit, out: last.out },
    { exit: 0, out: "Nothing to do: inventory is in step.\n" },
  );
});

test("--limit cuts the diff and says how much is left out", async (t) => {
  const scene = createSidesScene(t);
  const { plan } = await planOf(scene, "--limit", "1");
  assert.deepEqual([plan.changes.length, plan.more], [1, 3]);
  const { out } = await scene.lockstep(["plan", "inventory", "--limit", "1"]);
  assert.match(out, /3 more records; --all shows them/);
  assert.equal((await planOf(scene, "--all")).plan.more, 0);
});

test("a plan's file is applied as it is; once, and not after the configuration changed", async (t) => {
  const scene = createSidesScene(t);
  const file = join(scene.folder, "plan.jsonl");
  await scene.lockstep(["plan", "inventory", "--out", "plan.jsonl"]);
  const config = join(scene.folder, "lockstep.yaml");
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replace("policy: latest-wins", "policy: review"));
  const stale = await scene.json<ErrorJson>("apply", "plan.jsonl");
  assert.deepEqual([stale.exit, stale.result.error.code], [1, "PLAN_STALE"]);
  assert.match(stale.result.error.message, /configuration of "inventory" changed/);
  writeFileSync(config, text);
  // Another plan took its place in the home meanwhile; the file says what is done.
  await scene.lockstep(["plan", "inventory"]);
  assert.equal((await scene.lockstep(["apply", file])).exit, 4);
  assert.deepEqual(scene.article("SKU-1"), { shop: [11, "Mug"], stock: [11, "Mug"] });
  const twice = await scene.json<ErrorJson>("apply", "plan.jsonl");
  assert.equal(twice.result.error.code, "PLAN_STALE");
  writeFileSync(file, "no plan\n");
  const bad = await scene.json<ErrorJson>("apply", "plan.jsonl");
  assert.match(bad.result.error.message, /is no plan/);
});

test("apply asks where there is somebody to ask; a no writes nothing", async (t) => {
  const scene = createSidesScene(t);
  const none = await scene.json<ErrorJson>("apply", "inventory");
  assert.deepEqual([none.exit, none.result.error.code], [2, "PLAN_UNKNOWN"]);
  await scene.lockstep(["plan", "inventory"]);
  const no = await scene.lockstep(["apply", "inventory"], ["n"]);
  assert.equal(no.exit, 5);
  assert.match(no.err, /Apply the plan of inventory: 1 create and 1 update on shop/);
  assert.deepEqual(scene.article("SKU-1").shop, [10, "Mug"]);
  const yes = await scene.lockstep(["apply", "inventory"], ["y"]);
  assert.equal(yes.exit, 4);
  assert.deepEqual(scene.article("SKU-1").shop, [11, "Mug"]);
});

test("a record that was edited after the plan is left as it is, and told", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["plan", "inventory"]);
  scene.shop("UPDATE product SET price = 15 WHERE sku = 'SKU-1' RETURNING 1");
  const { exit, out } = await scene.lockstep(["apply", "inventory"]);
  assert.equal(exit, 4);
  assert.match(out, /^Done in part: inventory: 2 writes/);
  assert.match(out, /side {3}written {2}changed meanwhile\nshop {9}1 {18}1\nstock {8}1 {18}0\n/);
  assert.match(
    out,
    /lockstep history inventory --run \w+ {2}shows which were left\n {2}lockstep plan inventory +looks again/,
  );
  assert.deepEqual(scene.article("SKU-1").shop, [15, "Mug"]);
  const { result } = await scene.json<HistoryJson>("history", "inventory", "SKU-1");
  assert.equal(result.writes[0]?.state, "conflict");
});

test("explain tells where a value came from and what it beat; history has the write", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["run"]);
  const { out } = await scene.lockstep(["explain", "inventory", "SKU-1", "price"]);
  assert.match(out, /^SKU-1 price is 11\.\n/);
  assert.match(out, /became 11, from stock/);
  assert.match(out, /Rule: latest-wins: stock wrote last/);
  assert.match(out, /It beat shop: 10, written 2025-12-31 17:00:00/);
  const { result } = await scene.json<Explanation>("explain", "inventory", "stock:1");
  assert.deepEqual(
    result.fields.map(({ field }) => field),
    ["sku", "title", "price", "qty"],
  );
  const history = await scene.json<HistoryJson>("history", "inventory", "SKU-1");
  assert.deepEqual(
    history.result.writes.map(({ side, kind, state }) => [side, kind, state]),
    [["shop", "update", "written"]],
  );
  const cut = await scene.json<HistoryJson>("history", "inventory", "--limit", "2");
  assert.deepEqual([cut.result.writes.length, cut.result.truncated], [2, true]);
  const unknown = await scene.json<ErrorJson>("explain", "inventory", "SKU-99");
  assert.deepEqual([unknown.exit, unknown.result.error.code], [2, "RECORD_UNKNOWN"]);
});

test("undo puts both sides back, and later runs wait for a release", async (t) => {
  const scene = createSidesScene(t);
  const all = (): unknown => [
    scene.shop("SELECT * FROM product ORDER BY sku"),
    scene.stock("SELECT code, name, price, qty FROM item ORDER BY id"),
  ];
  const before = all();
  const { result } = await scene.json<RunJson>("run", "inventory");
  const runId = result.sides[0]?.runId ?? "";
  assert.notDeepEqual(all(), before);
  const shown = await scene.lockstep(["undo", "inventory", runId], ["n"]);
  assert.equal(shown.exit, 5);
  assert.match(shown.out, /price {2}11 → 10 {2}as before that run/);
  assert.notDeepEqual(all(), before);
  const undone = await scene.json<SidesRun>("undo", "inventory", runId);
  assert.deepEqual([undone.exit, undone.result.undoes, undone.result.heldBy], [0, runId, 1]);
  assert.deepEqual(all(), before);
  const held = await scene.json<ErrorJson>("run", "inventory");
  assert.deepEqual([held.exit, held.result.error.code], [3, "GUARD_UNDONE"]);
  const next = await scene.lockstep(["plan", "inventory"]);
  assert.equal(next.exit, 3);
  assert.match(next.out, /If runs may go on: lockstep release 1 --by YOUR-NAME/);
  assert.doesNotMatch(next.out, /gives the number to release/, "it has one");
  const halts = await scene.lockstep(["halts"]);
  assert.match(halts.out, /lockstep release 1 --by YOUR-NAME, then lockstep run inventory\n/);
  assert.equal((await scene.lockstep(["release", "1", "--by", "Dana"])).exit, 0);
  assert.equal((await scene.lockstep(["run", "inventory"])).exit, 4);
});

test("conflicts: shown by field, decided by value, in bulk, and for the next time", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["run"]);
  const listed = await scene.lockstep(["conflicts", "inventory"]);
  assert.match(listed.out, /^1 conflict waits for a decision\.\n\ntitle {2}inventory, 1\n/);
  assert.match(listed.out, /SKU-2 {3}— {5}Bowl \(/);
  const story = await scene.lockstep(["conflicts", "show", "1"]);
  assert.match(story.out, /lockstep conflicts resolve 1 --take stock {2}Bowl, blue for all/);

  const wrong = await scene.json<ErrorJson>("conflicts", "resolve", "1", "--take", "shpo");
  assert.match(wrong.result.error.message, /did you mean "shop"\?\); allowed: shop, stock/);
  await scene.lockstep(["conflicts", "resolve", "1", "--value", "Bowl, deep", "--by", "Dana"]);
  await scene.lockstep(["run"]);
  assert.deepEqual(scene.article("SKU-2"), {
    shop: [12.5, "Bowl, deep"],
    stock: [12.5, "Bowl, deep"],
  });
  const told = await scene.lockstep(["explain", "inventory", "SKU-2", "title"]);
  assert.match(told.out, /decided by Dana: a value of their own/);

  const disagree = (word: string): void => {
    for (const sku of ["SKU-1", "SKU-2"]) {
      scene.shop(`UPDATE product SET title = 'shop ${word}' WHERE sku = '${sku}' RETURNING 1`);
      scene.stock(`UPDATE item SET name = 'stock ${word}' WHERE code = '${sku}' RETURNING 1`);
    }
  };
  disagree("one");
  await scene.lockstep(["run"]);
  const bulk = [
    "conflicts",
    "resolve",
    "--field",
    "title",
    "--all",
    "--take",
    "stock",
    "--as-rule",
  ];
  const no = await scene.lockstep(bulk, ["n"]);
  assert.match(no.err, /Decide 2 conflicts\? \[y\/N\] Nothing was decided/);
  const done = await scene.lockstep([...bulk, "--yes"], []);
  assert.match(done.out, /Decided: 2 conflicts, by tester/);
  await scene.lockstep(["run"]);
  assert.deepEqual(scene.article("SKU-1").shop, [11, "stock one"]);

  disagree("two");
  assert.equal((await scene.lockstep(["run"])).exit, 0, "the rule decides now");
  assert.deepEqual(scene.article("SKU-1").shop, [11, "stock two"]);
  assert.match(
    (await scene.lockstep(["conflicts", "rules"])).out,
    /1 {2}inventory {2}title {2}is taken from stock/,
  );
  await scene.lockstep(["conflicts", "forget-rule", "1"]);
  disagree("three");
  assert.equal((await scene.lockstep(["run"])).exit, 4, "a person decides again");
});

test("a number given for a conflict is fitted to the field's type, or refused", async (t) => {
  const scene = createSidesScene(t);
  const config = join(scene.folder, "lockstep.yaml");
  writeFileSync(
    config,
    readFileSync(config, "utf8").replace("policy: latest-wins", "policy: review"),
  );
  await scene.lockstep(["run"]);
  const { result } = await scene.json<ConflictsJson>("conflicts", "--field", "price");
  const id = String(result.conflicts[0]?.id);
  const refused = await scene.json<ErrorJson>("conflicts", "resolve", id, "--value", "cheap");
  assert.match(refused.result.error.message, /"price" expects a decimal number/);
  await scene.lockstep(["conflicts", "resolve", id, "--value", "10.50"]);
  await scene.lockstep(["run"]);
  assert.deepEqual(scene.article("SKU-1"), { shop: [10.5, "Mug"], stock: [10.5, "Mug"] });
});

test("verify finds drift by side and field; --repair runs and verifies again", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["run"]);
  assert.equal((await scene.lockstep(["verify", "inventory"])).exit, 0);
  scene.shop(
    "UPDATE product SET price = 99, updated_at = '2026-05-01' WHERE sku = 'SKU-1' RETURNING 1",
  );
  scene.stock("DELETE FROM item WHERE code = 'SKU-4' RETURNING 1");
  const { exit, out } = await scene.lockstep(["verify"]);
  assert.equal(exit, 1);
  assert.match(out, /^Not equal: inventory differs/);
  assert.match(out, /shop: price 1\n {2}SKU-1 {2}price {2}99 {2}agreed 11/);
  assert.match(out, /stock: 1 missing\n {2}SKU-4 {2}missing/);
  const repaired = await scene.json<VerifyJson>("verify", "inventory", "--repair");
  assert.equal(repaired.exit, 0);
  assert.equal(repaired.result.sides[0]?.isEqual, true);
  assert.equal(repaired.result.sides[0]?.repair?.outcome, "partial");
  assert.deepEqual(scene.article("SKU-1").stock, [99, "Mug"]);
});

test("a mass deletion stops plan and run with the numbers, and a release lets it through", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["run"]);
  scene.stock("DELETE FROM item RETURNING 1");
  const shown = await scene.lockstep(["plan", "inventory"]);
  assert.equal(shown.exit, 3);
  assert.match(shown.out, /^Would halt: inventory/);
  assert.match(shown.out, /stock shows no record at all where it had 4/);
  const { exit, result } = await scene.json<ErrorJson>("apply", "inventory");
  assert.deepEqual([exit, result.error.code], [3, "GUARD_EMPTY_SIDE"]);
  const { result: waiting } = await scene.json<HaltsJson>("halts");
  assert.equal(waiting.halts[0]?.stream, "stock");
  await scene.lockstep(["release", String(waiting.halts[0]?.id), "--by", "Dana"]);
  assert.equal((await planOf(scene)).exit, 5, "what was released does not stop it");
  await scene.lockstep(["run", "inventory"]);
  assert.deepEqual(scene.shop("SELECT count(*) FROM product WHERE sku <> 'SKU-2'"), [[0]]);
});

test("check tells what the sides share, status what waits; neither writes", async (t) => {
  const scene = createSidesScene(t);
  const checked = await scene.json<CheckReport>("check");
  assert.equal(checked.exit, 0);
  const [shape] = checked.result.reconciles.map((one) => one.shape);
  assert.deepEqual(
    shape?.fields.map(({ name, type, sides }) => [name, type.kind, sides["stock"]?.field]),
    [
      ["sku", "text", "code"],
      ["title", "text", "name"],
      ["price", "decimal", "price"],
      ["qty", "integer", "qty"],
    ],
  );
  assert.match((await scene.lockstep(["check"])).out, /price {2}decimal {2}price {2}price/);
  assert.match(
    (await scene.lockstep(["status"])).out,
    /never run; lockstep plan inventory --first/,
  );
  await scene.lockstep(["run"]);
  const { result } = await scene.json<StatusResult>("status", "inventory");
  assert.deepEqual(
    result.reconciles.map(({ records, conflicts, lastRun }) => [
      records,
      conflicts,
      lastRun?.outcome,
    ]),
    [[4, 1, "partial"]],
  );
  assert.match((await scene.lockstep(["status"])).out, /1 conflict waits for a person/);

  const config = join(scene.folder, "lockstep.yaml");
  writeFileSync(config, readFileSync(config, "utf8").replace("sku: code", "sku: cod"));
  const broken = await scene.lockstep(["check"]);
  assert.equal(broken.exit, 2);
  assert.match(broken.out, /✘ inventory\n/);
});

test("names and options of the other kind of sync are refused with the way on", async (t) => {
  const scene = createSidesScene(t, "  copy: { replicate: shopdb, streams: { product: } }\n");
  const near = await scene.json<ErrorJson>("plan", "inventroy");
  assert.equal(
    near.result.error.message,
    'The sync is "inventroy" (did you mean "inventory"?); allowed: copy, inventory.',
  );
  const deep = await scene.json<ErrorJson>("run", "inventory", "--sweep");
  assert.equal(
    deep.result.error.message,
    '--sweep is for copies; "inventory" keeps sides in step.',
  );
  assert.equal((await scene.json<ErrorJson>("plan", "inventory", "--sweep")).exit, 2);
  const copy = await scene.json<ErrorJson>("explain", "copy", "SKU-1");
  assert.match(copy.result.error.message, /"copy" is a copy of one system/);

  const both = await scene.json<RunJson>("run");
  assert.equal(both.exit, 4);
  assert.deepEqual(
    [both.result.results.map(({ sync }) => sync), both.result.sides.map(({ sync }) => sync)],
    [["copy"], ["inventory"]],
  );
  const plans = await scene.json<PlanJson>("plan");
  assert.deepEqual(
    plans.result.plans.map(({ kind }) => kind),
    ["replicate", "reconcile"],
  );
});
