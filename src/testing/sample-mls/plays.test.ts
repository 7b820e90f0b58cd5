import assert from "node:assert/strict";
import { test } from "node:test";
import type { SampleMlsOptions, SampleVendor } from "./index.ts";
import { startSampleMls } from "./index.ts";

const DATA: SampleMlsOptions = { listings: 60, pageSize: 10, photosMax: 0, deletedHistory: 0 };
const ONE = "OriginatingSystemName eq 'sample'";
const TIME = "ModificationTimestamp ge 2000-01-01T00:00:00Z";

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly link: string | null;
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<Answered> {
  const response = await fetch(encodeURI(url), {
    headers: { authorization: "Bearer sample-token", ...headers },
  });
  return {
    status: response.status,
    text: await response.text(),
    link: response.headers.get("link"),
  };
}

const REFUSED: readonly (readonly [SampleVendor, string, RegExp])[] = [
  ["mlsgrid", "Property", /exactly one OriginatingSystemName/],
  ["mlsgrid", `Property?$filter=${ONE} and ${ONE}`, /exactly one OriginatingSystemName/],
  ["mlsgrid", `Property?$filter=${ONE} and (${TIME})`, /parentheses/],
  ["mlsgrid", `Property?$filter=(${ONE})`, /parentheses/],
  ["mlsgrid", `Property?$filter=${ONE}&$orderby=ModificationTimestamp`, /\$orderby/],
  ["mlsgrid", `Property?$filter=${ONE}&$skip=500001`, /\$skip/],
  [
    "mlsgrid",
    `Property?$filter=${ONE} and (${"ListingId eq 'a' or ".repeat(6)}ListingId eq 'b')`,
    /more than 5 'or'/,
  ],
  ["trestle", "Property?$skip=1000001", /Error getting data/],
  ["trestle", "Property/replication?id=nobody", /expired/],
  ["bridge", "Property?$skip=10001", /\$skip/],
  ["bridge", "Property/replication?$orderby=ListingKey", /neither/],
  ["bridge", "Lookup/replication", /no such replication/],
  ["spark", "Property?$orderby=ListingKey", /\$orderby/],
  ["spark", "Property?$skip=1", /\$skip/],
];

test("what a platform refuses is refused", async () => {
  for (const vendor of new Set(REFUSED.map(([each]) => each))) {
    const mls = await startSampleMls({ ...DATA, plays: vendor });
    try {
      for (const [, path, why] of REFUSED.filter(([each]) => each === vendor)) {
        const { status, text } = await ask(`${mls.url}/${path}`);
        assert.ok(status === 400 || status === 404, `${vendor} ${path} ${status}`);
        assert.match(text, why);
      }
      assert.equal((await ask(`${mls.url}/Deleted`)).status, 404);
    } finally {
      await mls.close();
    }
  }
});

test("MLS Grid asks for compression before it looks at the token", async () => {
  const mls = await startSampleMls({ ...DATA, plays: "mlsgrid" });
  try {
    const headers = { authorization: "wrong", "accept-encoding": "identity" };
    const { status, text } = await ask(`${mls.url}/Property`, headers);
    assert.equal(status, 400);
    assert.match(text, /COMPRESSION REQUIRED/);
  } finally {
    await mls.close();
  }
});

test("MLS Grid tells of a withdrawn record for seven days", async () => {
  const mls = await startSampleMls({ ...DATA, plays: "mlsgrid" });
  try {
    const [first] = mls.truth("Property");
    assert.ok(first);
    mls.control.delete({ key: first.key });
    assert.equal(mls.count("Property"), 59);
    const url = `${mls.url}/Property?$filter=${ONE} and MlgCanView eq false`;
    assert.match((await ask(url)).text, /"MlgCanView":false/);
    mls.control.advance({ ms: 7 * 86_400_000 + 1000 });
    assert.doesNotMatch((await ask(url)).text, /"MlgCanView"/);
  } finally {
    await mls.close();
  }
});

test("a link of Trestle gives page after page and ends when it is idle", async () => {
  const mls = await startSampleMls({ ...DATA, plays: "trestle" });
  try {
    const url = `${mls.url}/Property?$orderby=ListingKeyNumeric&$top=10&replication=true`;
    const page = JSON.parse((await ask(url)).text) as Record<string, string>;
    const link = page["@odata.nextLink"] ?? "";
    assert.match(link, /\/Property\/replication\?id=/);
    const [second, third] = [(await ask(link)).text, (await ask(link)).text];
    assert.notEqual(second, third);
    mls.control.advance({ ms: 5 * 60_000 + 1000 });
    assert.equal((await ask(link)).status, 400);
  } finally {
    await mls.close();
  }
});

test("Bridge tells the next page in a header, Spark in a link that holds the key", async () => {
  const bridge = await startSampleMls({ ...DATA, pageSize: 1, plays: "bridge" });
  const spark = await startSampleMls({ ...DATA, plays: "spark" });
  try {
    const { link, text } = await ask(`${bridge.url}/Property/replication?$top=10`);
    assert.match(link ?? "", /^<http[^>]*next=[^>]*>; rel="next"$/);
    assert.doesNotMatch(text, /nextLink/);
    assert.match((await ask(`${spark.url}/Property`)).text, /nextLink":"[^"]*skiptoken=/);
  } finally {
    await bridge.close();
    await spark.close();
  }
});
