import assert from "node:assert/strict";
import test from "node:test";
import { type Client, fails, resoScene as scene } from "../../test/support/reso-scene.ts";
import { createUndiciTransport } from "../connectors/http/undici-transport.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { SampleMls } from "../testing/sample-mls/index.ts";

const keysWhere = (
  mls: SampleMls,
  holds: (fields: Readonly<Record<string, unknown>>) => boolean = () => true,
): readonly number[] =>
  [...mls.truth("Property")].filter(({ fields }) => holds(fields)).map(({ key }) => Number(key));

const keysOf = (records: readonly object[]): readonly unknown[] =>
  records.map((record) => (record as Record<string, unknown>)["ListingKeyNumeric"]);

test("a list without an order gives every record once, by key, with exact values", async (t) => {
  const { mls, client } = await scene(t);
  const records = await client.property.list().toArray();
  assert.deepEqual(keysOf(records), keysWhere(mls));
  for (const [index, { fields }] of [...mls.truth("Property")].entries()) {
    const record = records[index];
    assert.ok(record);
    assert.equal(record["SourceSystemSequence"], String(fields["SourceSystemSequence"]));
    assert.equal(Number(record["ListPrice"]), Number(fields["ListPrice"]));
    assert.equal(typeof record["ListPrice"], "string");
    assert.equal(typeof record["YearBuilt"], fields["YearBuilt"] === null ? "object" : "number");
    assert.equal(record["StandardStatus"], fields["StandardStatus"]);
    assert.deepEqual(record["GeoLocation"], fields["GeoLocation"]);
    assert.equal("@odata.id" in record, false);
  }
});

test("top holds across pages, and pages are as the server gives them", async (t) => {
  const { mls, client } = await scene(t);
  const sizes: number[] = [];
  for await (const page of client.property.list({ top: 60 }).pages()) sizes.push(page.length);
  assert.deepEqual(sizes, [25, 25, 10]);
  const ordered = client.property.list({ orderBy: "ListPrice desc", top: 60 });
  const prices = (await ordered.toArray()).map((record) => Number(record["ListPrice"]));
  const expected = [...mls.truth("Property")]
    .map(({ fields }) => Number(fields["ListPrice"]))
    .sort((a, b) => b - a);
  assert.deepEqual(prices, expected.slice(0, 60));
  const few = await client.property.list({ orderBy: "ListPrice desc", top: 7 }).toArray();
  assert.equal(few.length, 7);
  const all = await client.property.list({ orderBy: "ListPrice desc", top: 500 }).toArray();
  assert.equal(all.length, 120);
  mls.control.configure({ pageSize: 200 });
  const small: number[] = [];
  for await (const page of client.property.list({ pageSize: 50 }).pages()) small.push(page.length);
  assert.deepEqual(small, [50, 50, 20]);
  assert.deepEqual(await client.property.list({ top: 0 }).toArray(), []);
});

test("a server that cuts $top to its page without a link is asked without it", async (t) => {
  const asked: string[] = [];
  const transport = createUndiciTransport();
  const http: HttpTransport = {
    ...transport,
    async send(request, signal) {
      const answer = await transport.send(request, signal);
      if (!request.url.includes("$top=")) return answer;
      asked.push(request.url);
      return { ...answer, body: answer.body.replace(/,"@odata.nextLink":"[^"]*"/, "") };
    },
  };
  const { client } = await scene(t, { pageSize: 10 }, { http });
  const list = client.property.list({ orderBy: ["ListPrice", "ListingKeyNumeric desc"], top: 30 });
  assert.equal((await list.toArray()).length, 30);
  assert.equal(asked.length, 1);
});

test("breaking off a list asks for nothing more", async (t) => {
  const { mls, client } = await scene(t);
  for await (const record of client.property.list()) {
    assert.ok(record);
    break;
  }
  // The metadata and one page.
  assert.equal(mls.control.stats().requests, 2);
});

test("typed filters mean what they say", async (t) => {
  const { mls, client } = await scene(t);
  const price = (fields: Readonly<Record<string, unknown>>): number => Number(fields["ListPrice"]);
  const [place] = [...mls.truth("Property")].map(({ fields }) => String(fields["City"]));
  const has = (name: string, value: string) => (fields: Readonly<Record<string, unknown>>) =>
    String(fields[name] ?? "")
      .split(",")
      .includes(value);
  const cases: readonly [
    Parameters<Client["property"]["count"]>[0],
    Parameters<typeof keysWhere>[1],
  ][] = [
    [
      { filter: { StandardStatus: "Active", ListPrice: { ge: 500_000 } } },
      (fields) => fields["StandardStatus"] === "Active" && price(fields) >= 500_000,
    ],
    [
      { filter: { City: { in: [place ?? "", "Salt Lake City", "Draper"] } } },
      (fields) => [place, "Salt Lake City", "Draper"].includes(String(fields["City"])),
    ],
    [
      { filter: { StandardStatus: { ne: "ActiveUnderContract" } } },
      (fields) => fields["StandardStatus"] !== "Active Under Contract",
    ],
    [{ filter: { InteriorFeatures: "Gas Log" } }, has("InteriorFeatures", "Gas Log")],
    [
      { filter: { InteriorFeatures: { hasAny: ["Gas Log", "Bath: Master"] } } },
      (fields) =>
        has("InteriorFeatures", "Gas Log")(fields) ||
        has("InteriorFeatures", "Bath: Master")(fields),
    ],
    [
      { filter: { InteriorFeatures: { has: ["Gas Log", "Bath: Master"] } } },
      (fields) =>
        has("InteriorFeatures", "Gas Log")(fields) &&
        has("InteriorFeatures", "Bath: Master")(fields),
    ],
    [{ filter: { ClosePrice: null } }, (fields) => fields["ClosePrice"] === null],
    [{ filter: { StreetName: "O'Brien Ct" } }, (fields) => fields["StreetName"] === "O'Brien Ct"],
    [
      { filter: { not: { or: [{ ListPrice: { lt: 300_000.5 } }, { NewConstructionYN: true }] } } },
      (fields) => !(price(fields) < 300_000.5 || fields["NewConstructionYN"] === true),
    ],
    [
      {
        filter: {
          ModificationTimestamp: { ge: new Date("2024-01-01T00:00:00Z") },
          or: [{ ListPrice: { gt: 900_000n } }, "ListPrice lt 250000" as never],
        },
      },
      (fields) =>
        String(fields["ModificationTimestamp"]) >= "2024-01-01" &&
        (price(fields) > 900_000 || price(fields) < 250_000),
    ],
    [
      { filter: "ListPrice gt 400000 or ClosePrice ne null" },
      (fields) => price(fields) > 400_000 || fields["ClosePrice"] !== null,
    ],
    [
      { filter: { SourceSystemSequence: { gt: "9007199254740993" } } },
      (fields) => BigInt(String(fields["SourceSystemSequence"])) > 9_007_199_254_740_993n,
    ],
  ];
  let chosen = 0;
  for (const [query, holds] of cases) {
    const expected = keysWhere(mls, holds);
    const { filter } = query ?? {};
    const records = await client.property
      .list({ ...(filter ? { filter } : {}), select: ["ListingKeyNumeric"] })
      .toArray();
    assert.deepEqual(
      keysOf(records),
      expected,
      JSON.stringify(query, (_, v) => (typeof v === "bigint" ? String(v) : v)),
    );
    assert.equal(await client.property.count(query), expected.length);
    if (expected.length > 0 && expected.length < 120) chosen += 1;
  }
  assert.ok(chosen >= 9, `only ${chosen} filters choose something`);
});

test("one record, its selected fields and what is related to it", async (t) => {
  const { mls, client } = await scene(t, { photosMax: 4 });
  const [first] = mls.truth("Property");
  const key = Number(first?.key);
  const record = await client.property.get(key, { expand: ["Media"], select: ["ListPrice"] });
  assert.deepEqual(Object.keys(record).sort(), ["ListPrice", "Media"]);
  const photos = [...mls.truth("Media")].filter(
    ({ fields }) => Number(fields["ResourceRecordKeyNumeric"]) === key,
  );
  assert.deepEqual(
    (record["Media"] as readonly Record<string, unknown>[]).map((each) => each["MediaKey"]).sort(),
    photos.map((each) => each.key).sort(),
  );
  const mediaKey = String([...mls.truth("Media")][0]?.key);
  assert.equal((await client.media.get(mediaKey))["MediaKey"], mediaKey);
  for await (const each of client.property.list({ expand: ["Media"], top: 30 })) {
    assert.ok(Array.isArray(each["Media"]));
  }
  const adu = await client.set("Adu").list().toArray();
  assert.equal(adu.length, mls.count("Adu"));
  mls.control.configure({ missing: "empty" });
  await assert.rejects(
    client.property.get(1),
    fails("not-found", /record "1" of stream "Property"/),
  );
  mls.control.configure({ missing: "404" });
  await assert.rejects(client.property.get(1), fails("not-found", /404/));
});

test("near measures from a point, together with other conditions", async (t) => {
  const { mls, client } = await scene(t, { listings: 400, pageSize: 200 });
  const [center] = [...mls.truth("Property")].map(({ fields }) => fields["GeoLocation"]);
  const [longitude = 0, latitude = 0] = (center as unknown as { coordinates: number[] })
    .coordinates;
  const miles = (fields: Readonly<Record<string, unknown>>): number => {
    const { coordinates } = fields["GeoLocation"] as { coordinates: number[] };
    const [a = 0, b = 0, c = 0, d = 0] = [...coordinates, longitude, latitude].map(
      (degrees) => (degrees * Math.PI) / 180,
    );
    return 3958.76 * Math.hypot((a - c) * Math.cos((b + d) / 2), b - d);
  };
  const near = await client.property.near({ latitude, longitude, miles: 50 }).toArray();
  assert.deepEqual(
    keysOf(near),
    keysWhere(mls, (fields) => miles(fields) < 50),
  );
  const active = client.property.near({
    latitude,
    longitude,
    miles: 80,
    filter: "StandardStatus eq Odata.Models.StandardStatus'Active' or ListPrice lt 200000",
    orderBy: "ListPrice",
  });
  const found = keysOf(await active.toArray()).map(Number);
  assert.deepEqual(
    found.toSorted((a, b) => a - b),
    keysWhere(
      mls,
      (fields) =>
        miles(fields) < 80 &&
        (fields["StandardStatus"] === "Active" || Number(fields["ListPrice"]) < 200_000),
    ),
  );
  await assert.rejects(
    client.property.near({ latitude: -111.9, longitude: 40.6, miles: 5 }).toArray(),
    fails("validation", /`latitude` is "-111.9"; expected a number from -90 to 90/),
  );
});

test("deleted records are told by the feed, from a time on", async (t) => {
  const { mls, client } = await scene(t, { deletedHistory: 40 });
  const all = await client.deleted.list("Property").toArray();
  assert.ok(all.length > 5);
  assert.ok(all.every(({ key }) => typeof key === "number"));
  const since = all[Math.floor(all.length / 2)]?.deletedAt ?? "";
  const late = await client.deleted.list("Property", { since }).toArray();
  assert.deepEqual(
    late,
    all.filter(({ deletedAt }) => (deletedAt ?? "") >= since),
  );
  assert.deepEqual(
    await client.deleted.list("Property", { since: new Date(since), top: 2 }).toArray(),
    late.slice(0, 2),
  );
  const [first] = mls.truth("Property");
  mls.control.delete({ set: "Property", key: Number(first?.key) });
  const last = (await client.deleted.list("Property").toArray()).at(-1);
  assert.equal(last?.key, Number(first?.key));
  await assert.rejects(
    client.deleted.list("Lookup").toArray(),
    fails("validation", /Nothing tells of deleted records of stream "Lookup"/),
  );
  await assert.rejects(
    client.deleted.list("Property", { since: "yesterday" }).toArray(),
    fails("validation", /`since` is "yesterday"/),
  );
});
