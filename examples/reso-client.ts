/**
 * Asks a RESO Web API: counts, lists, one record with its photos, what is near, what was deleted.
 *
 *     lockstep sample-mls                      serves a made-up MLS on this machine
 *     RESO_URL=http://127.0.0.1:4800/reso/odata RESO_TOKEN=sample-token node reso-client.ts
 */
import { createResoClient, ResoNotFoundError, ResoValidationError } from "lockstep/reso";

/** Types of the few fields used here; `lockstep types` writes them for a whole service. */
interface Streams {
  readonly Property: {
    readonly record: {
      readonly ListingKeyNumeric: number;
      readonly ListPrice: `${number}` | null;
      readonly City: string | null;
      readonly StandardStatus: "Active" | "Pending" | "Closed" | null;
    };
    readonly key: number;
    readonly related: { readonly Media: readonly { readonly MediaURL: string | null }[] };
  };
}

const client = createResoClient<Streams>({
  profile: "wfrmls",
  url: process.env["RESO_URL"] ?? "http://127.0.0.1:4800/reso/odata",
  token: process.env["RESO_TOKEN"] ?? "sample-token",
});

try {
  const filter = { StandardStatus: "Active", ListPrice: { ge: 500_000 } } as const;
  console.log(`${await client.property.count({ filter })} active from 500,000`);

  const cheapest = client.property.list({
    filter,
    select: ["ListingKeyNumeric", "ListPrice", "City"],
    orderBy: "ListPrice",
    top: 3,
  });
  for await (const listing of cheapest) {
    console.log(`  ${listing.ListingKeyNumeric}: ${listing.ListPrice} in ${listing.City}`);
  }

  let pages = 0;
  let records = 0;
  for await (const page of client.property.list({ select: ["ListingKeyNumeric"] }).pages()) {
    pages += 1;
    records += page.length;
  }
  console.log(`${records} listings in ${pages} pages`);

  const [first] = await client.property.list({ top: 1 }).toArray();
  if (first !== undefined) {
    const whole = await client.property.get(first.ListingKeyNumeric, { expand: ["Media"] });
    console.log(`${whole.Media.length} photos of ${whole.ListingKeyNumeric}`);
  }

  const near = client.property.near({ latitude: 40.58, longitude: -111.9, miles: 40 });
  console.log(`${(await near.toArray()).length} within 40 miles`);

  const gone = await client.deleted.list("Property", { since: new Date(0) }).toArray();
  console.log(`${gone.length} deleted`);

  await client.property.get(1).catch((error: unknown) => {
    if (!(error instanceof ResoNotFoundError)) throw error;
    console.log("1 is not there");
  });
  await client.property.count({ filter: "ListPrise gt 1" }).catch((error: unknown) => {
    if (!(error instanceof ResoValidationError)) throw error;
    console.log(error.hint);
  });
} finally {
  await client.close();
}
