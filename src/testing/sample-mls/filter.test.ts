import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SampleMls, TruthRecord } from "./index.ts";
import { startSampleMls } from "./index.ts";
import { get, getAll, getPage } from "./test-client.ts";

let mls: SampleMls;
let truth: TruthRecord[];

before(async () => {
  mls = await startSampleMls({ listings: 700, tieSize: 60, now: () => Date.UTC(2025, 5, 2) });
  truth = [...mls.truth("Property")];
});
after(() => mls.close());

type Fields = TruthRecord["fields"];

function keysWhere(test: (fields: Fields) => boolean): unknown[] {
  return truth.filter(({ fields }) => test(fields)).map(({ key }) => key);
}

test("filters choose the same records as the same condition on the truth", async () => {
  const price = (fields: Fields): number => Number(fields["ListPrice"]);
  const median = String(truth[350]?.fields["ModificationTimestamp"]);
  const key = Number(truth[300]?.key);
  const bulk = mostCommon(truth.map(({ fields }) => String(fields["ModificationTimestamp"])));
  const cases: [string, (fields: Fields) => boolean][] = [
    [
      "StandardStatus eq Odata.Models.StandardStatus'Active' and ListPrice gt 500000",
      (fields) => fields["StandardStatus"] === "Active" && price(fields) > 500_000,
    ],
    [
      "not (StandardStatus has Odata.Models.StandardStatus'ActiveUnderContract')",
      (fields) => fields["StandardStatus"] !== "Active Under Contract",
    ],
    [
      "MlsStatus ne Odata.Models.Status'UnderContract'",
      (fields) => fields["MlsStatus"] !== "Under Contract",
    ],
    [
      "InteriorFeatures has Odata.Models.InteriorFeatures'GasLog'",
      (fields) => String(fields["InteriorFeatures"]).split(",").includes("Gas Log"),
    ],
    ["StreetName eq 'O''Brien Ct'", (fields) => fields["StreetName"] === "O'Brien Ct"],
    ["ClosePrice ne null", (fields) => fields["ClosePrice"] !== null],
    [
      "ClosePrice lt 300000.5",
      (fields) => fields["ClosePrice"] !== null && Number(fields["ClosePrice"]) < 300_000.5,
    ],
    ["500000 le ListPrice", (fields) => price(fields) >= 500_000],
    [
      "ListPrice lt OriginalListPrice",
      (fields) => price(fields) < Number(fields["OriginalListPrice"]),
    ],
    ["NewConstructionYN eq true", (fields) => fields["NewConstructionYN"] === true],
    ["OnMarketDate ge 2024-01-01", (fields) => String(fields["OnMarketDate"]) >= "2024-01-01"],
    [
      "SourceSystemSequence gt 9007199254741001",
      (fields) => BigInt(String(fields["SourceSystemSequence"])) > 9_007_199_254_741_001n,
    ],
    [
      `ModificationTimestamp ge ${median}`,
      (fields) => String(fields["ModificationTimestamp"]) >= median,
    ],
    [
      `ModificationTimestamp lt ${median}`,
      (fields) => String(fields["ModificationTimestamp"]) < median,
    ],
    [`ModificationTimestamp eq ${bulk}`, (fields) => fields["ModificationTimestamp"] === bulk],
    ["ModificationTimestamp le now()", () => true],
    [
      `PriceChangeTimestamp gt ${median}`,
      (fields) =>
        fields["PriceChangeTimestamp"] !== null && String(fields["PriceChangeTimestamp"]) > median,
    ],
    [`ListingKeyNumeric gt ${key}`, (fields) => Number(fields["ListingKeyNumeric"]) > key],
    [
      `ListingKeyNumeric le ${key} and BedroomsTotal ge 4`,
      (fields) =>
        Number(fields["ListingKeyNumeric"]) <= key && Number(fields["BedroomsTotal"]) >= 4,
    ],
    [
      `(ModificationTimestamp gt ${bulk} or (ModificationTimestamp eq ${bulk} and ListingKeyNumeric gt ${key}))`,
      (fields) =>
        String(fields["ModificationTimestamp"]) > bulk ||
        (fields["ModificationTimestamp"] === bulk && Number(fields["ListingKeyNumeric"]) > key),
    ],
    [
      `ListingKey eq '${key}' or ListingKey eq '${truth[5]?.key}' or ListingKey eq 'x'`,
      (fields) => [String(key), String(truth[5]?.key)].includes(String(fields["ListingKey"])),
    ],
    [
      `ListingKeyNumeric in (${key},${truth[9]?.key},4)`,
      (fields) => [key, truth[9]?.key].includes(Number(fields["ListingKeyNumeric"])),
    ],
    ["PostalCode eq null", () => false],
  ];
  for (const [filter, condition] of cases) {
    const expected = keysWhere(condition);
    for (const order of [
      "ListingKeyNumeric",
      "ModificationTimestamp,ListingKeyNumeric",
      "City desc",
    ]) {
      const rows = await getAll(
        mls,
        `/Property?$select=ListingKeyNumeric&$filter=${filter}&$orderby=${order}`,
      );
      const keys = rows.map((row) => Number(row["ListingKeyNumeric"])).sort((a, b) => a - b);
      assert.deepEqual(keys, expected, `${filter} by ${order}`);
    }
    const page = await getPage(mls, `/Property?$top=0&$count=true&$filter=${filter}`);
    assert.equal(page.count, expected.length, `${filter} counted`);
  }
});

test("wrong filters and names are refused with 400 and a message", async () => {
  const wrong: [string, RegExp][] = [
    ["$filter=Nope eq 1", /Unknown property 'Nope'/],
    ["$filter=listprice eq 1", /Unknown property/],
    ["$filter=ListPrice eq '1'", /cannot compare/],
    ["$filter=City eq 5", /cannot compare/],
    ["$filter=ListingKey eq 5", /cannot compare/],
    ["$filter=ModificationTimestamp gt 2024-01-01", /cannot compare/],
    ["$filter=ModificationTimestamp gt '2024-01-01T00:00:00Z'", /cannot compare/],
    ["$filter=StandardStatus eq 'Active'", /cannot compare/],
    ["$filter=StandardStatus eq Odata.Models.Status'Active'", /cannot compare/],
    ["$filter=StandardStatus eq Odata.Models.StandardStatus'Gone'", /Unknown enum value/],
    ["$filter=StandardStatus gt Odata.Models.StandardStatus'Active'", /not supported/],
    ["$filter=ListPrice has 4", /not supported/],
    ["$filter=ListPrice gt null", /cannot compare/],
    ["$filter=City", /not a condition/],
    ["$filter=contains(StreetName,'a')", /not supported/],
    ["$select=ListPrice,Nope", /Unknown property 'Nope'/],
    ["$orderby=DeletedDateTime", /Unknown property/],
    ["$orderby=ListPrice up", /Cannot read/],
    ["$expand=Nope", /Unknown property/],
    ["$expand=Media($select=Order)", /not supported/],
    ["$search=x", /Unknown query option/],
    ["$top=-1", /whole number/],
    ["$skip=x", /whole number/],
    ["$count=yes", /true or false/],
    ["$top=1&$top=2", /twice/],
    ["$filter=ListPrice+gt+5", /'\+'/],
  ];
  for (const [query, message] of wrong) {
    const answer = await get(mls, `/Property?${query}`);
    assert.equal(answer.status, 400, query);
    const body = JSON.parse(answer.text) as { error: { message: string } };
    assert.match(body.error.message, message, query);
  }
});

test("options change what is understood", async () => {
  const status = async (query: string): Promise<number> =>
    (await get(mls, `/Property?${query}`)).status;
  const pair = "$orderby=ModificationTimestamp,ListingKeyNumeric";
  const or = "$filter=ListPrice gt 5 or BedroomsTotal gt 2";
  const oneField = "$filter=ListingKey eq '1' or ListingKey eq '2'";
  assert.deepEqual([await status(pair), await status(or)], [200, 200]);
  mls.control.configure({
    compositeOrderBy: false,
    orAcrossFields: false,
    inOperator: false,
    bareStringEnum: true,
    skipLimit: 100,
  });
  assert.equal(await status(pair), 400);
  assert.equal(await status(or), 400);
  assert.equal(await status(oneField), 200);
  assert.equal(await status("$filter=ListingKeyNumeric in (1,2)"), 400);
  assert.equal(await status("$filter=StandardStatus eq 'Active'"), 200);
  assert.equal(await status("$skip=100"), 200);
  assert.equal(await status("$skip=101"), 400);
  mls.control.configure({
    compositeOrderBy: true,
    orAcrossFields: true,
    inOperator: true,
    bareStringEnum: false,
    skipLimit: undefined,
  });
});

test("inclusiveGe: false makes 'ge' on timestamps behave as 'gt', by index and by scan", async () => {
  const bulk = mostCommon(truth.map(({ fields }) => String(fields["ModificationTimestamp"])));
  const count = async (filter: string): Promise<number | undefined> =>
    (await getPage(mls, `/Property?$top=0&$count=true&$filter=${filter}`)).count;
  const inclusive = await count(`ModificationTimestamp ge ${bulk}`);
  mls.control.configure({ inclusiveGe: false });
  const exclusive = await count(`ModificationTimestamp ge ${bulk}`);
  const scanned = await count(`ModificationTimestamp ge ${bulk} and ListPrice gt 0`);
  mls.control.configure({ inclusiveGe: true });
  assert.ok(Number(inclusive) - Number(exclusive) >= 60);
  assert.equal(scanned, exclusive);
});

function mostCommon(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

test("a distance filter chooses the places within so many miles", async () => {
  // Equirectangular: another formula than the server's, exact enough at this size.
  const miles = (fields: Fields): number => {
    const { coordinates } = fields["GeoLocation"] as unknown as { coordinates: number[] };
    const [east = 0, north = 0] = coordinates.map((degrees) => (degrees * Math.PI) / 180);
    const [toEast, toNorth] = [(-112.5 * Math.PI) / 180, (39.5 * Math.PI) / 180];
    return 3958.76 * Math.hypot((east - toEast) * Math.cos((north + toNorth) / 2), north - toNorth);
  };
  const place = "geography'SRID=3956;POINT(-112.5 39.5)'";
  const near = await getAll(
    mls,
    `/Property?$select=ListingKeyNumeric&$filter=geo.distance(GeoLocation,${encodeURIComponent(place)})%20lt%2060`,
  );
  const expected = keysWhere((fields) => miles(fields) < 60);
  assert.ok(expected.length > 5 && expected.length < truth.length / 2, `${expected.length}`);
  assert.deepEqual(
    near.map((row) => Number(row["ListingKeyNumeric"])).sort((a, b) => a - b),
    expected,
  );
  for (const wrong of [
    `geo.distance(ListPrice,${place}) lt 1`,
    "geo.distance(GeoLocation,geography'SRID=4326;POINT(-112.5 39.5)') lt 1",
    `GeoLocation eq ${place}`,
  ]) {
    const { status } = await get(mls, `/Property?$filter=${encodeURIComponent(wrong)}`);
    assert.equal(status, 400, wrong);
  }
});
