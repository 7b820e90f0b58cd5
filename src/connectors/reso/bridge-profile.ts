import { platformDefaults } from "./platform-defaults.ts";
import type { ResoProfile } from "./profile.ts";

/** Bridge Interactive; the address holds the data set, so it must be configured. */
export const bridge: ResoProfile = {
  name: "bridge",
  preset: {
    pageSize: 200,
    // The platform's own time moves with every change, also with one of the MLS's rules.
    modifiedAtNames: ["BridgeModificationTimestamp", "ModificationTimestamp"],
    streams: {},
    probeStreams: ["Property", "Member", "Office"],
    expandable: {},
    // The sets themselves stop at 10,000 records; here they come whole, oldest change first.
    served: {
      order: "time",
      path: "/replication",
      streams: ["Property", "Member", "Office", "OpenHouse"],
      pageSize: 2000,
      takesOrder: true,
    },
    probe: "never",
    concurrency: 2,
  },
  // Not published for a data set.
  budget: { perSecond: 2, perMinute: 100, perHour: 4500 },
  defaults: platformDefaults(),
  unconfirmed: [
    "request limits of your data set: `budget`",
    "sets without a replication endpoint that hold more than 10,000 records",
  ],
};
