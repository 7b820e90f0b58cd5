import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FaultRequest, SampleMls } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Ended, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;
let price = 100_000;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
  await place.heal();
});
after(async () => {
  await mls.close();
  place.remove();
});

/** A run after edits of several pages whose second page of changes goes wrong. */
async function runWith(fault: FaultRequest): Promise<Ended> {
  price += 1;
  mls.control.editMany({ count: 50, fields: { ListPrice: `${price}.25` } });
  mls.control.add();
  mls.control.fail({ match: "/Property?", after: 1, times: 100, ...fault });
  try {
    return await place.lockstep(["run", "--incremental"]);
  } finally {
    mls.control.heal();
  }
}

interface Case {
  readonly name: string;
  readonly fault: FaultRequest;
  readonly exit: number;
  /** Below the headline. */
  readonly told: string;
}

const HEADLINE =
  "Failed: 1 of 1 stream of listings failed (incremental; N s); nothing that was saved is lost.";
const GAVE_UP = 'Gave up on a page of "Property" (changes) after 2 tries and N s of waiting.';

const CASES: readonly Case[] = [
  {
    name: "HTML instead of JSON",
    fault: { kind: "html" },
    exit: 1,
    told: `Property failed: The answer for stream "Property" is a web page, not JSON. ${GAVE_UP}
  What to do: If it persists, open the URL by hand and look at the answer.
  Code: CONNECTOR_BAD_RESPONSE`,
  },
  {
    name: "truncated JSON",
    fault: { kind: "truncate" },
    exit: 1,
    told: `Property failed: The answer for stream "Property" is JSON that ends early, after N characters. ${GAVE_UP}
  What to do: If it persists, open the URL by hand and look at the answer.
  Code: CONNECTOR_BAD_RESPONSE`,
  },
  {
    name: "an answer cut off on the way",
    fault: { kind: "cut" },
    exit: 1,
    told: `Property failed: The server at MLS cannot be reached: the connection was closed before the answer was whole. ${GAVE_UP}
  What to do: Check the URL and the network.
  Code: CONNECTOR_UNREACHABLE`,
  },
  {
    name: "200 with an error body",
    fault: { kind: "error-body" },
    exit: 1,
    told: `Property failed: The answer for stream "Property" is an error with status 200: "Internal database error". ${GAVE_UP}
  What to do: Read the system's own words in the message.
  Code: CONNECTOR_ERROR_BODY`,
  },
  {
    name: "Retry-After longer than a run waits",
    fault: { kind: "status", status: 429, retryAfter: 3600 },
    exit: 1,
    told: `Property failed: The server answered 429 for stream "Property": "The server had trouble". The system asks to come back at "TIME", which is longer than the N s that a run waits.
  What to do: Run again after TIME.
  Code: CONNECTOR_RATE_LIMITED`,
  },
  {
    name: "empty pages that never end",
    fault: { kind: "empty-page" },
    exit: 1,
    told: `Property failed: 21 pages of stream "Property" in a row were empty, each with a next link.
  What to do: Report it to the vendor; set \`paging: keyset\` where the server allows it.
  Code: PAGING_LOOP`,
  },
];

for (const { name, fault, exit, told } of CASES) {
  test(`${name} fails the stream, and the next run reads what was missed`, async () => {
    const failed = await runWith(fault);
    assert.equal(failed.told, `${HEADLINE}\n\n${told}`);
    assert.equal(failed.exit, exit);
    await place.heal();
  });
}

test("an empty page with a next link is followed, not taken for the end", async () => {
  const ended = await runWith({ kind: "empty-page", times: 1 });
  assert.equal(ended.told, "Done: listings is up to date (incremental; N s).");
  assert.equal(ended.exit, 0);
  await place.prove();
});

test("a next link that leads back is not followed round and round", async () => {
  place.configure({ system: { paging: "next-link" } });
  const failed = await runWith({ kind: "next-loop" });
  assert.equal(
    failed.told,
    `${HEADLINE}

Property failed: The next link of stream "Property" leads back to a page already read.
  What to do: Report it to the vendor; set \`paging: keyset\` where the server allows it.
  Code: PAGING_LOOP`,
  );
  assert.equal(failed.exit, 1);
  await place.heal();
});

test("a next link to another origin gets no token", async () => {
  place.configure({ system: { paging: "next-link" } });
  const failed = await runWith({ kind: "next-elsewhere" });
  assert.equal(
    failed.told,
    `${HEADLINE}

Property failed: The next link of stream "Property" leads to "https://elsewhere.example"; only "http://MLS" gets the token.
  What to do: Check that \`url\` is right; report it to the vendor.
  Code: PAGING_FOREIGN_ORIGIN`,
  );
  assert.equal(failed.exit, 3);
  await place.heal();
});
