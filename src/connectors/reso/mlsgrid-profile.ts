import { platformDefaults } from "./platform-defaults.ts";
import type { ResoProfile } from "./profile.ts";

/** MLS Grid, API version 2, as docs.mlsgrid.com tells. */
export const mlsgrid: ResoProfile = {
  name: "mlsgrid",
  url: "https://api.mlsgrid.com/v2",
  preset: {
    // 5,000 are allowed, 1,000 with an expansion; a page of 5,000 listings is about 100 MB.
    pageSize: 1000,
    modifiedAtNames: ["ModificationTimestamp"],
    streams: {},
    probeStreams: ["Property", "Member", "Office"],
    expandable: { Property: ["Media", "Rooms", "UnitTypes"] },
    // `$orderby` is not offered; every set comes in the order of ModificationTimestamp.
    served: { order: "time", takesOrder: false },
    probe: "never",
    // At most five `or` in a request.
    membership: "in",
    concurrency: 1,
  },
  platform: {
    origin: "OriginatingSystemName",
    visible: { field: "MlgCanView", retentionDays: 7 },
  },
  // Allowed are 2 a second, 7,200 an hour, 40,000 a day and 4 GB an hour, windows of its own.
  budget: { perSecond: 1, perHour: 7000, perDay: 39_000, bytesPerHour: 3_900_000_000 },
  // Every set is given by ModificationTimestamp alone, which moves with the photos too. An address
  // is signed for one use within an hour.
  defaults: platformDefaults(undefined, {
    changedBy: "ModificationTimestamp",
    urlMaxAgeMs: 50 * 60_000,
    token: { use: "user-agent", hosts: ["media.mlsgrid.com"] },
  }),
  unconfirmed: [
    "keys in `in` lists for every stream: `membership`, `keysPerRead`",
    "`$count`: a walk is then proven by its own end",
  ],
};
