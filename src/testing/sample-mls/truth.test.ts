import assert from "node:assert/strict";
import { test } from "node:test";
import { startSampleMls } from "./index.ts";
import { get, getAll } from "./test-client.ts";

const SETS: readonly (readonly [string, string])[] = [
  ["Property", "ListingKeyNumeric"],
  ["Member", "MemberKeyNumeric"],
  ["Office", "OfficeKeyNumeric"],
  ["OpenHouse", "OpenHouseKeyNumeric"],
  ["Media", "MediaKey"],
  ["PropertyUnitTypes", "UnitTypeKey"],
  ["Adu", "AduKeyNumeric"],
  ["Lookup", "LookupKey"],
  ["DataSystem", "DSName"],
  ["Resource", "RName"],
];

test("a full walk of each entity set equals the truth, before and after edits", async () => {
  const mls = await startSampleMls({ listings: 450, propertyFields: 90 });
  try {
    for (const step of [0, 1]) {
      if (step > 0) {
        mls.control.live({ step, edits: 150 });
      }
      for (const [set, key] of SETS) {
        const rows = await getAll(mls, `/${set}`);
        const byKey = new Map(rows.map((row) => [row[key], row]));
        const expected = [...mls.truth(set)];
        assert.equal(rows.length, expected.length, set);
        assert.equal(mls.count(set), expected.length, set);
        for (const record of expected) {
          const { "@odata.id": _id, ...fields } = byKey.get(record.key) ?? {};
          assert.deepEqual(fields, record.fields);
        }
      }
    }
  } finally {
    await mls.close();
  }
});

test("the same seed gives the same data, another seed other data", async () => {
  const servers = await Promise.all(
    [5, 5, 6].map((seed) => startSampleMls({ seed, listings: 300, propertyFields: 60 })),
  );
  const [first, same, other] = servers.map((mls) =>
    SETS.map(([set]) => JSON.stringify([...mls.truth(set)])).join("\n"),
  );
  assert.equal(first, same);
  assert.notEqual(first, other);
  await Promise.all(servers.map((mls) => mls.close()));
});

test("the data hold what is hard to keep: big numbers, long decimals, letters beyond ASCII", async () => {
  const mls = await startSampleMls({ listings: 1_500 });
  const rows = [...mls.truth("Property")].map(({ fields }) => fields);
  const column = (name: string): string[] => rows.map((fields) => String(fields[name]));
  assert.ok(column("SourceSystemSequence").every((text) => BigInt(text) > 2n ** 53n));
  assert.ok(column("LotSizeArea").some((text) => text.replace(".", "").length === 16));
  assert.ok(column("PublicRemarks").some((text) => /[\u{1f300}-\u{1ffff}]/u.test(text)));
  assert.ok(column("PublicRemarks").includes(""));
  assert.ok(column("BusinessType").some((text) => text.includes("Ice Cream/Frozen Yogurt")));
  const stamps = [...mls.truth("Lookup")].map(({ fields }) =>
    String(fields["ModificationTimestamp"]),
  );
  assert.ok(stamps.some((text) => /\.\d{6}Z$/.test(text)));
  assert.ok(column("ModificationTimestamp").every((text) => /:\d\dZ$/.test(text)));
  await mls.close();
});

test("the metadata describe every field that is served, in the shape of WFRMLS", async () => {
  const mls = await startSampleMls({ listings: 20, propertyFields: 327 });
  const xml = (await get(mls, "/$metadata")).text;
  assert.equal(xml.match(/<Schema /g)?.length, 2);
  assert.equal(xml.includes("Nullable"), false);
  assert.equal(xml.includes("Deleted"), false);
  assert.match(xml, /<Member Name="IceCreamFrozenYogurt" Value="4611686018427387904">/);
  assert.match(xml, /IsFlags="true" Name="BusinessType" UnderlyingType="Edm.Int32"/);
  assert.match(
    xml,
    /<Annotation String="Salt Lake City" Term="RESO.OData.Metadata.StandardName"\/>/,
  );
  assert.match(xml, /<Property Name="MlsStatus" Type="Odata.Models.Status">/);
  assert.match(xml, /<Property Name="GeoLocation" SRID="3956" Type="Edm.GeographyPoint"\/>/);
  assert.match(xml, /<Property Name="LotSizeArea" Precision="16" Scale="4" Type="Edm.Decimal"\/>/);
  assert.match(xml, /Name="Member" Partner="Property" Type="Collection\(Odata.Models.Member\)"/);
  const [property = ""] = /<EntityType Name="Property">[\s\S]*?<\/EntityType>/.exec(xml) ?? [];
  assert.equal(property.match(/<Property Name|<Property MaxLength/g)?.length, 327);
  for (const { fields } of mls.truth("Property")) {
    assert.equal(Object.keys(fields).length, 327);
  }
  const service = JSON.parse((await get(mls, "/")).text) as { value: { name: string }[] };
  assert.deepEqual(service.value.map(({ name }) => name).sort(), SETS.map(([set]) => set).sort());
  await mls.close();
});
