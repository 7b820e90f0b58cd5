import { platformDefaults } from "./platform-defaults.ts";
import type { ResoProfile } from "./profile.ts";

/** Trestle (Cotality, formerly CoreLogic), as its documentation tells. */
export const trestle: ResoProfile = {
  name: "trestle",
  url: "https://api.cotality.com/trestle/odata",
  preset: {
    // The cap; without `$top` a page has ten records.
    pageSize: 1000,
    modifiedAtNames: ["ModificationTimestamp"],
    streams: {},
    probeStreams: ["Property", "Member", "Office"],
    expandable: { Property: ["Media", "Rooms", "UnitTypes", "OpenHouse"] },
    // One link gives page after page and ends after five idle minutes; one thread is advised.
    sessionOption: "replication=true",
    concurrency: 1,
  },
  // Allowed are 180 a minute and 7,200 an hour for a feed.
  budget: { perMinute: 170, perHour: 7000 },
  rateHeaders: [
    { window: "minute", limit: "minute-quota-limit" },
    { window: "hour", limit: "hour-quota-limit", reset: "hour-quota-resettime" },
  ],
  defaults: platformDefaults(undefined, { token: { use: "bearer", hosts: [] } }),
  unconfirmed: [
    "order by time and key, and reading on after it: probed, `paging` decides",
    "the quota of your feed: `budget`",
  ],
};
