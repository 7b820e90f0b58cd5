import { platformDefaults } from "./platform-defaults.ts";
import type { ResoProfile } from "./profile.ts";

/** What the documentation asks for, since the server answers from caches. */
const OVERLAP_MS = 20 * 60_000;

/** Spark (FBS) with a replication key, as sparkplatform.com tells. */
export const spark: ResoProfile = {
  name: "spark",
  url: "https://replication.sparkapi.com/Reso/OData",
  preset: {
    pageSize: 1000,
    modifiedAtNames: ["ModificationTimestamp"],
    streams: {},
    probeStreams: ["Property", "Member", "Office"],
    expandable: { Property: ["Media", "OpenHouse"] },
    // Every set comes by key, and `$skiptoken` links hold the key.
    served: { order: "key", takesOrder: false },
    probe: "never",
    concurrency: 2,
  },
  budget: { perSecond: 2, perMinute: 100, perHour: 4500 },
  defaults: platformDefaults(OVERLAP_MS),
  unconfirmed: ["request limits of your key: `budget`"],
};
