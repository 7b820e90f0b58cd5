import { startSampleMls } from "../src/testing/sample-mls/index.ts";

// The sample MLS of `parallel.ts`, in a process of its own: two large streams without a parent.
const [listings = 5_000, members = 15_000, pageSize = 1_000] = process.argv.slice(2).map(Number);
const mls = await startSampleMls({ listings, members, pageSize, cacheBytes: 2 * 1024 ** 3 });
console.log(JSON.stringify({ url: mls.url, control: mls.controlUrl }));
process.on("SIGTERM", () => void mls.close());
