import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SampleBehavior, SampleMls } from "./index.ts";
import { startSampleMls } from "./index.ts";
import type { TestPage } from "./test-client.ts";
import { get, getAll, getPage } from "./test-client.ts";

let mls: SampleMls;

before(async () => {
  mls = await startSampleMls({ listings: 1_000 });
});
after(() => mls.close());

async function configured(
  changes: Partial<SampleBehavior>,
  back: Partial<SampleBehavior>,
  run: () => Promise<void>,
): Promise<void> {
  mls.control.configure(changes);
  try {
    await run();
  } finally {
    mls.control.configure(back);
  }
}

function keys(rows: TestPage["rows"]): number[] {
  return rows.map((row) => Number(row["ListingKeyNumeric"]));
}

test("without $orderby the order is arbitrary, the same each time, and complete by nextLink", async () => {
  const first = await getPage(mls, "/Property");
  assert.equal(first.rows.length, 200);
  assert.equal(first.nextLink, `${mls.url}/Property?$skip=200`);
  assert.equal(first.context, "$metadata#Property");
  const all = keys(await getAll(mls, "/Property"));
  assert.equal(new Set(all).size, 1_000);
  assert.notDeepEqual(
    all,
    [...all].sort((a, b) => a - b),
  );
  assert.deepEqual(keys(await getAll(mls, "/Property")), all);
});

test("a larger $top is cut with a nextLink for the rest; a satisfied one has none", async () => {
  const large = await getPage(mls, "/Property?$top=450");
  assert.equal(large.rows.length, 200);
  assert.equal(large.nextLink, `${mls.url}/Property?$top=250&$skip=200`);
  assert.equal((await getAll(mls, "/Property?$top=450")).length, 450);
  assert.equal((await getPage(mls, "/Property?$top=5&$skip=5")).nextLink, undefined);
  const none = await getPage(mls, "/Property?$top=0&$count=true");
  assert.deepEqual([none.rows.length, none.count, none.nextLink], [0, 1_000, undefined]);
  assert.equal((await getPage(mls, "/Property?$skip=5000")).rows.length, 0);
});

test("the nextLink carries filter and order, percent-encoded, unless told not to", async () => {
  const path = "/Property?$filter=ListPrice gt 200000&$orderby=ListPrice desc";
  const kept = (await getPage(mls, path)).nextLink ?? "";
  assert.match(kept, /\?\$filter=ListPrice%20gt%20200000&\$orderby=ListPrice%20desc&\$skip=200$/);
  await configured(
    { nextLinkKeepsOrder: false, nextLinkKeepsFilter: false },
    { nextLinkKeepsOrder: true, nextLinkKeepsFilter: true },
    async () => {
      assert.equal((await getPage(mls, path)).nextLink, `${mls.url}/Property?$skip=200`);
    },
  );
  await configured(
    { nextLinkForm: "relative", nextLinkFirst: true },
    { nextLinkForm: "absolute", nextLinkFirst: false },
    async () => {
      const answer = await get(mls, "/Property");
      assert.match(
        answer.text,
        /^\{"@odata.context":[^,]*,"@odata.nextLink":"Property\?\$skip=200","value":\[/,
      );
    },
  );
});

test("an empty last page can follow a full one", async () => {
  await configured({ emptyLastPage: true }, { emptyLastPage: false }, async () => {
    const last = await getPage(mls, "/Property?$skip=800");
    assert.equal(last.rows.length, 200);
    const empty = await getPage(mls, last.nextLink ?? "");
    assert.deepEqual([empty.rows.length, empty.nextLink], [0, undefined]);
  });
});

test("$select projects rows and context; headers are those of OData", async () => {
  const answer = await get(mls, "/Property?$select=ListPrice,City&$top=1");
  assert.match(answer.text, /"@odata.context":"\$metadata#Property\(ListPrice,City\)"/);
  assert.match(
    answer.text,
    /"value":\[\{"@odata.id":"Property\(\d{7}\)","ListPrice":\d+\.\d+,"City":"[^"]+"\}\]/,
  );
  assert.equal(answer.headers.get("odata-version"), "4.0");
  assert.ok(answer.headers.get("date"));
  await configured({ odataIdOnSelect: false }, { odataIdOnSelect: true }, async () => {
    const [row] = (await getPage(mls, "/Property?$select=City&$top=1")).rows;
    assert.deepEqual(Object.keys(row ?? {}), ["City"]);
  });
});

test("maxpagesize is honoured only when switched on", async () => {
  const prefer = { Prefer: "odata.maxpagesize=50" };
  const ignored = await get(mls, "/Property", prefer);
  assert.equal(ignored.headers.get("preference-applied"), null);
  await configured({ preferMaxPageSize: true }, { preferMaxPageSize: false }, async () => {
    const applied = await get(mls, "/Property", prefer);
    assert.equal(applied.headers.get("preference-applied"), "odata.maxpagesize=50");
    assert.equal((JSON.parse(applied.text) as { value: unknown[] }).value.length, 50);
  });
});

test("pair keyset walks through a tie larger than a page", async () => {
  const seen: number[] = [];
  const ties = new Map<string, number>();
  let filter = "";
  for (;;) {
    const order = "$orderby=ModificationTimestamp asc,ListingKeyNumeric asc";
    const { rows } = await getPage(mls, `/Property?${order}${filter}`);
    const last = rows.at(-1);
    if (last === undefined) {
      break;
    }
    seen.push(...keys(rows));
    for (const row of rows) {
      const stamp = String(row["ModificationTimestamp"]);
      ties.set(stamp, (ties.get(stamp) ?? 0) + 1);
    }
    const { ModificationTimestamp: time, ListingKeyNumeric: key } = last;
    filter = `&$filter=(ModificationTimestamp gt ${time} or (ModificationTimestamp eq ${time} and ListingKeyNumeric gt ${key}))`;
  }
  assert.equal(seen.length, 1_000);
  assert.equal(new Set(seen).size, 1_000);
  assert.ok(Math.max(...ties.values()) >= 250);
});

test("entities by key, navigation paths, counts and expansions agree", async () => {
  const withPhotos = [...mls.truth("Property")].find(({ fields }) => fields["PhotosCount"] === 3);
  const key = withPhotos?.key;
  const one = await get(
    mls,
    `/Property(${key})?$expand=Media,Member,Office,OpenHouse,PropertyUnitTypes,Adu`,
  );
  const body = JSON.parse(one.text) as Record<string, unknown[]>;
  assert.match(
    one.text,
    /^\{"@odata.context":"\$metadata#Property\/\$entity","@odata.id":"Property\(/,
  );
  assert.equal(body["Media"]?.length, 3);
  assert.equal(body["Member"]?.length, 1);
  assert.equal(body["Office"]?.length, 1);
  const media = (await getPage(mls, `/Property(${key})/Media`)).rows;
  assert.equal(media.length, 3);
  const filtered = await getPage(
    mls,
    `/Media?$filter=ResourceRecordKey eq '${key}'&$orderby=Order`,
  );
  assert.deepEqual(
    filtered.rows.map((row) => row["Order"]),
    [0, 1, 2],
  );
  const mediaKey = String(media[0]?.["MediaKey"]);
  assert.equal((await get(mls, `/Media('${mediaKey}')`)).status, 200);
  assert.equal((await get(mls, "/Media('O''Brien')")).status, 404);
  assert.equal((await get(mls, `/Media(${key})`)).status, 400);
  assert.equal((await get(mls, "/Property(7)")).status, 404);
  assert.equal((await get(mls, "/Nothing")).status, 404);
  assert.equal((await get(mls, "/Property/$count?$filter=ListPrice gt 0")).text, "1000");
  await configured({ missing: "empty" }, { missing: "404" }, async () => {
    const missing = await getPage(mls, "/Property(7)");
    assert.deepEqual(missing.rows, []);
  });
  await configured({ expandPageSize: 25 }, { expandPageSize: undefined }, async () => {
    assert.equal((await getPage(mls, "/Property?$expand=Media")).rows.length, 25);
  });
});

test("lookups are written as display names or as member names", async () => {
  const values = async (): Promise<Set<unknown>> =>
    new Set((await getAll(mls, "/Property?$select=City")).map((row) => row["City"]));
  assert.ok((await values()).has("Salt Lake City"));
  await configured({ lookups: "member" }, { lookups: "display" }, async () => {
    assert.ok((await values()).has("SaltLakeCity"));
    const [row] = (await getPage(mls, "/Property?$top=1")).rows;
    const [record] = [...mls.truth("Property")].filter(
      ({ key }) => key === row?.["ListingKeyNumeric"],
    );
    assert.equal(row?.["City"], record?.fields["City"]);
  });
});
