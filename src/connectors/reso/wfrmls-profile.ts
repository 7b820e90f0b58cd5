import { MODIFIED_AT_NAMES, PROPERTY_MONITOR } from "./generic-profile.ts";
import type { ResoProfile, ResoStreamDefaults } from "./profile.ts";

const ofListing: ResoStreamDefaults = {
  parent: { stream: "Property", field: "ListingKeyNumeric", parentField: "ListingKeyNumeric" },
};

/** WFRMLS (UtahRealEstate.com), as its documentation, `$metadata` and client notes tell. */
export const wfrmls: ResoProfile = {
  name: "wfrmls",
  url: "https://resoapi.utahrealestate.com/reso/odata",
  preset: {
    // The vendor's page cap; a larger `$top` gives no more.
    pageSize: 200,
    modifiedAtNames: MODIFIED_AT_NAMES,
    streams: {},
    // The feed stands in neither `$metadata` nor the service document.
    deletions: {
      set: "Deleted",
      resource: "resource",
      key: "primary_key",
      time: "ts",
      streams: ["Property", "Member", "Office", "OpenHouse", "Media", "PropertyUnitTypes", "Adu"],
    },
    probeStreams: ["Property", "Member", "Office"],
    expandable: {
      Property: ["Media", "OpenHouse", "Member", "Office", "PropertyUnitTypes", "Adu"],
    },
  },
  budget: { perSecond: 5, perMinute: 90, perHour: 5000, perDay: 45_000 },
  defaults: {
    Property: { monitor: PROPERTY_MONITOR },
    OpenHouse: ofListing,
    PropertyUnitTypes: ofListing,
    Media: {
      parent: {
        stream: "Property",
        field: "ResourceRecordKeyNumeric",
        parentField: "ListingKeyNumeric",
      },
    },
    Member: {
      parent: { stream: "Office", field: "OfficeKeyNumeric", parentField: "OfficeKeyNumeric" },
    },
  },
  unconfirmed: [
    "order by and reading on after (time, key): probed, `paging` decides",
    "next links that keep order and filter: probed, not relied on",
    "form of multi-values and of GeoLocation: both forms are read",
    "field names, streams and retention of the deletion feed: `deletions`",
    "zone of open house times: `streams.OpenHouse.zones`",
    "request limits: `budget`",
    "Media as a set of its own: expand it on Property where it fails",
  ],
};
