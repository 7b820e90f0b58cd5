import { PROPERTY_MONITOR } from "./generic-profile.ts";
import type { ResoMediaDefaults, ResoStreamDefaults } from "./profile.ts";

/** Streams of a DD 1.7 or 2.0 service by their usual names, with text keys. */
const PARENTS: Readonly<Record<string, ResoStreamDefaults["parent"]>> = {
  Property: undefined,
  Member: { stream: "Office", field: "OfficeKey", parentField: "OfficeKey" },
  Office: undefined,
  OpenHouse: { stream: "Property", field: "ListingKey", parentField: "ListingKey" },
  Media: { stream: "Property", field: "ResourceRecordKey", parentField: "ListingKey" },
};

/** What the replica of a platform's usual streams needs; with an overlap where it asks for one. */
export function platformDefaults(
  overlapMs?: number,
  media?: ResoMediaDefaults,
): Readonly<Record<string, ResoStreamDefaults>> {
  const streams = Object.entries(PARENTS).map(([stream, parent]): [string, ResoStreamDefaults] => [
    stream,
    {
      ...(overlapMs === undefined ? {} : { overlapMs }),
      ...(parent === undefined ? {} : { parent }),
      ...(stream === "Property" ? { monitor: PROPERTY_MONITOR } : {}),
      ...(stream === "Property" && media !== undefined ? { media } : {}),
    },
  ]);
  return Object.fromEntries(streams);
}
