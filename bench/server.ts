import { startSampleMls } from "../src/testing/sample-mls/index.ts";

// The sample MLS in a process of its own: what it costs must not count as the engine's.
const [listings, fields, pageSize] = process.argv.slice(2).map(Number);
const mls = await startSampleMls({
  listings: listings ?? 1000,
  propertyFields: fields ?? 40,
  pageSize: pageSize ?? 200,
  cacheBytes: 2 * 1024 ** 3,
});
console.log(JSON.stringify({ url: mls.url, control: mls.controlUrl, token: mls.token }));
process.on("SIGTERM", () => void mls.close());
