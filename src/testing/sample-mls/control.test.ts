import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { SampleMls, TruthRecord } from "./index.ts";
import { startSampleMls } from "./index.ts";
import { get, getAll, getPage } from "./test-client.ts";

const NOON = Date.UTC(2025, 5, 2, 12);

let mls: SampleMls;

beforeEach(async () => {
  mls = await startSampleMls({ listings: 600, deletedHistory: 4, now: () => NOON + 345 });
});
afterEach(() => mls.close());

function listing(test: (fields: TruthRecord["fields"]) => boolean): number {
  const found = [...mls.truth("Property")].find(({ fields }) => test(fields));
  return Number(found?.key);
}

function fieldsOf(key: number, set = "Property"): TruthRecord["fields"] | undefined {
  return [...mls.truth(set)].find((record) => record.key === key)?.fields;
}

test("an edit moves the timestamps that belong to it, in whole seconds", async () => {
  const key = listing((fields) => fields["StandardStatus"] === "Active");
  mls.control.edit({ key, fields: { ListPrice: "455000.50" } });
  const priced = fieldsOf(key);
  assert.equal(priced?.["ListPrice"], "455000.5");
  assert.equal(priced?.["ModificationTimestamp"], "2025-06-02T12:00:00Z");
  assert.equal(priced?.["PriceChangeTimestamp"], "2025-06-02T12:00:00Z");
  assert.notEqual(priced?.["StatusChangeTimestamp"], "2025-06-02T12:00:00Z");
  mls.control.advance({ ms: 60_000 });
  mls.control.edit({ key, fields: { StandardStatus: "Pending" } });
  const pending = fieldsOf(key);
  assert.equal(pending?.["MlsStatus"], "Under Contract");
  assert.equal(pending?.["StatusChangeTimestamp"], "2025-06-02T12:01:00Z");
  assert.equal(pending?.["PriceChangeTimestamp"], "2025-06-02T12:00:00Z");
  const { rows } = await getPage(mls, `/Property?$filter=ListingKeyNumeric eq ${key}`);
  assert.equal(rows[0]?.["StandardStatus"], "Pending");
});

test("a silent edit changes the value and no timestamp", () => {
  const key = listing(() => true);
  const before = fieldsOf(key);
  mls.control.edit({ key, fields: { PublicRemarks: "edited by hand" }, touch: false });
  assert.deepEqual(fieldsOf(key), { ...before, PublicRemarks: "edited by hand" });
});

test("a bulk edit gives many listings one timestamp, and all orders know it", async () => {
  const edited = mls.control.editMany({ count: 300, fields: { PostalCode: "84999" } });
  assert.equal(edited.length, 300);
  const filter = "$filter=ModificationTimestamp eq 2025-06-02T12:00:00Z";
  const rows = await getAll(
    mls,
    `/Property?${filter}&$orderby=ModificationTimestamp,ListingKeyNumeric`,
  );
  assert.deepEqual(
    rows.map((row) => row["ListingKeyNumeric"]),
    edited,
  );
});

test("a hidden listing leaves all reads and Deleted does not tell", async () => {
  const key = listing((fields) => Number(fields["PhotosCount"]) > 0);
  const before = [...mls.truth("Media")].length;
  await getAll(mls, "/Property");
  mls.control.hide({ key });
  assert.equal((await get(mls, `/Property(${key})`)).status, 404);
  assert.equal((await getAll(mls, "/Property")).length, 599);
  assert.equal((await getPage(mls, "/Property?$top=0&$count=true")).count, 599);
  const media = `/Media?$filter=ResourceRecordKeyNumeric eq ${key}`;
  assert.equal((await getPage(mls, media)).rows.length, 0);
  assert.equal(mls.count("Deleted"), 4);
  mls.control.unhide({ key });
  assert.equal(mls.count("Property"), 600);
  assert.equal([...mls.truth("Media")].length, before);
});

test("a deleted listing goes with its children, each reported, children first", async () => {
  const key = listing((fields) => fields["PhotosCount"] === 2);
  const openHouse = mls.control.addOpenHouse({ listing: key });
  const openHouses = mls.count("OpenHouse");
  mls.control.delete({ key });
  assert.equal((await get(mls, `/Property(${key})`)).status, 404);
  assert.equal(mls.count("OpenHouse"), openHouses - 1);
  const rows = await getAll(mls, "/Deleted?$filter=ts ge 2025-06-02T12:00:00Z&$orderby=ts");
  const listed = rows.map((row) => `${row["resource"]} ${row["primary_key"]}`);
  assert.equal(listed.filter((text) => text.startsWith("Media ")).length, 2);
  assert.ok(listed.includes(`OpenHouse ${openHouse}`));
  assert.equal(listed.at(-1), `Property ${key}`);
  const mine = "$filter=resource eq 'Property' and ts gt 2025-06-02T00:00:00Z";
  assert.equal((await getPage(mls, `/Deleted?${mine}`)).rows.length, 1);
  assert.throws(() => mls.control.delete({ key }), /no visible record/);
});

test("a new listing, its photos and a late commit are served everywhere", async () => {
  await getAll(mls, "/Property?$orderby=ModificationTimestamp");
  const key = mls.control.add({ fields: { City: "Provo", ListPrice: 1 }, photos: 2 });
  const { rows } = await getPage(
    mls,
    `/Property?$filter=ListingKeyNumeric ge ${key}&$expand=Media`,
  );
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.["City"], "Provo");
  assert.equal((rows[0]?.["Media"] as unknown[] | undefined)?.length, 2);
  mls.control.changePhotos({ listing: key, action: "replace", touch: false });
  mls.control.changePhotos({ listing: key, action: "add", count: 3 });
  assert.equal(fieldsOf(key)?.["PhotosCount"], 5);
  const media = await getAll(mls, `/Media?$filter=ResourceRecordKey eq '${key}'`);
  assert.equal(new Set(media.map((row) => row["MediaKey"])).size, 5);
  const late = mls.control.lateCommit({ secondsAgo: 3_600 });
  assert.equal(fieldsOf(late)?.["ModificationTimestamp"], "2025-06-02T11:00:00Z");
  const walked = await getAll(mls, "/Property?$orderby=ModificationTimestamp,ListingKeyNumeric");
  assert.equal(walked.at(-2)?.["ListingKeyNumeric"], late);
});

test("a corrupt field is sent raw, and the truth stays", async () => {
  const key = listing(() => true);
  const raw: [string, string][] = [
    ["ListingKeyNumeric", "null"],
    ["BedroomsTotal", "12.0"],
    ["ListPrice", '"call us"'],
    ["OnMarketDate", '"TBD"'],
    ["ModificationTimestamp", '"2025-06-02T12:00:00"'],
  ];
  const before = fieldsOf(key);
  await get(mls, `/Property(${key})`);
  for (const [field, text] of raw) {
    mls.control.corrupt({ key, field, raw: text });
  }
  const answer = await get(mls, `/Property(${key})`);
  for (const [field, text] of raw) {
    assert.ok(answer.text.includes(`"${field}":${text}`), field);
  }
  assert.deepEqual(fieldsOf(key), before);
  for (const [field] of raw) {
    mls.control.corrupt({ key, field });
  }
  assert.ok(!(await get(mls, `/Property(${key})`)).text.includes("TBD"));
});

test("edits that make no sense are refused with a reason", () => {
  const key = listing(() => true);
  assert.throws(() => mls.control.edit({ key, fields: { Nope: 1 } }), /does not exist/);
  assert.throws(() => mls.control.edit({ key, fields: { ListingKey: "1" } }), /part of its key/);
  assert.throws(() => mls.control.edit({ key, fields: { City: "Atlantis" } }), /Edm.Enum/);
  assert.throws(() => mls.control.edit({ key, fields: { ListPrice: "1.234" } }), /Edm.Decimal/);
  assert.throws(() => mls.control.edit({ set: "Nope", key }), /no entity set/);
});

test("days of live edits are the same for the same seed, and all of it is served", async () => {
  const other = await startSampleMls({ listings: 600, deletedHistory: 4, now: () => NOON + 345 });
  try {
    for (let step = 1; step <= 5; step += 1) {
      assert.deepEqual(mls.control.live({ step }), other.control.live({ step }));
    }
    assert.deepEqual([...mls.truth("Property")], [...other.truth("Property")]);
    assert.deepEqual([...mls.truth("Deleted")], [...other.truth("Deleted")]);
    const rows = await getAll(mls, "/Property?$orderby=ListingKeyNumeric");
    assert.deepEqual(
      rows.map((row) => row["ListingKeyNumeric"]),
      [...mls.truth("Property")].map(({ key }) => key),
    );
    for (const { key, fields } of mls.truth("Property")) {
      const photos = [...mls.truth("Media")].filter(
        (each) => each.fields["ResourceRecordKeyNumeric"] === key,
      );
      assert.equal(photos.length, fields["PhotosCount"]);
      if (Number(key) > 1_000_100) {
        break;
      }
    }
  } finally {
    await other.close();
  }
});

test("the control answers over HTTP as well", async () => {
  const post = async (name: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${mls.controlUrl}/${name}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const key = listing(() => true);
  assert.equal((await post("edit", { key, fields: { ListPrice: 5 } })).status, 200);
  assert.equal(fieldsOf(key)?.["ListPrice"], "5.0");
  assert.equal((await post("edit", { key: 3 })).status, 400);
  assert.equal((await post("constructor", {})).status, 400);
  const added = await post("add", {});
  assert.equal(typeof (added.body as { result: unknown }).result, "number");
  const count = await fetch(`${mls.controlUrl}/count/Property`);
  assert.deepEqual(await count.json(), { result: 601 });
  const truth = await (await fetch(`${mls.controlUrl}/truth/Office`)).text();
  const records = truth
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  assert.deepEqual(records, [...mls.truth("Office")]);
});
