import { startSampleMls } from "../src/testing/sample-mls/index.ts";

// The sample MLS in a process of its own: what it costs must not count as the engine's. Rows are
// made when they are asked for; those that fit in so many bytes are kept as text.
const [listings, fields, pageSize, cacheBytes] = process.argv.slice(2).map(Number);
const mls = await startSampleMls({
  listings: listings ?? 1000,
  propertyFields: fields ?? 40,
  pageSize: pageSize ?? 1000,
  cacheBytes: cacheBytes ?? 2 * 1024 ** 3,
});
console.log(JSON.stringify({ url: mls.url, control: mls.controlUrl }));
process.on("SIGTERM", () => void mls.close());
