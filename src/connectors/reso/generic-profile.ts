import type { ResoProfile } from "./profile.ts";

/** Timestamps of change by their RESO names, the most telling first. */
export const MODIFIED_AT_NAMES: readonly string[] = [
  "ModificationTimestamp",
  "TimestampModified",
  "BridgeModificationTimestamp",
];

const TRANSITIONS = [
  ["Active", "Pending"],
  ["Pending", "Closed"],
  ["Active", "Withdrawn"],
  ["Active", "Expired"],
] as const;

/** The monitored fields of Property by their RESO names. */
export const PROPERTY_MONITOR = {
  status: ["StandardStatus", "MlsStatus"],
  price: ["ListPrice", "ClosePrice"],
  transitions: TRANSITIONS,
} as const;

/** Any RESO Web API; everything that differs between platforms is probed or left to settings. */
export const generic: ResoProfile = {
  name: "generic",
  preset: {
    pageSize: 500,
    modifiedAtNames: MODIFIED_AT_NAMES,
    streams: {},
    probeStreams: ["Property", "Member", "Office"],
    expandable: {},
  },
  budget: { perSecond: 2, perMinute: 100, perHour: 5000 },
  defaults: { Property: { monitor: PROPERTY_MONITOR } },
  unconfirmed: [
    "whether the server tells of deletions: set `deletions`, else a sweep finds them",
    "its limits: set `budget`",
  ],
};
