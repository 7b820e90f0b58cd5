import { listingKey, photosOf } from "./generate-property.ts";
import { createDraw, hash32 } from "./hash.ts";
import { decimalText } from "./numbers.ts";
import type { SampleData } from "./options.ts";
import { memberKey } from "./people.ts";
import type { Column, RowSource } from "./row-source.ts";
import { ChildLinks } from "./row-source.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

const HOUR = 3_600_000_000;

/** Makes the photos. Keys are file names, as at WFRMLS, and a new photo gets a new one. */
export function createMediaSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "Media");
  const links = new ChildLinks(data.listings, (parent) => photosOf(data, parent));
  const parentKey = (slot: number): number => listingKey(data.seed, links.parentOf(slot));
  const timestamp = stampsBefore(data.epoch, (slot) => draw(slot, 0));
  const key = (slot: number): string => {
    const parent = links.parentOf(slot);
    const ordinal = links.ordinalOf(slot);
    const digest = [1, 2, 3, 4].map((salt) => hex(hash32(draw(parent, ordinal), ordinal, salt)));
    // The leading digits count, so that keys of generated rows ascend with the slot.
    return `${parentKey(slot)}_${hex(ordinal).slice(5)}${digest.join("").slice(3)}_${2_000_000 + slot}.jpg`;
  };
  const textKey: Column = (slot) => String(parentKey(slot));
  return {
    rows: links.rows,
    key,
    timestamp,
    links,
    columns: {
      MediaKey: key,
      MediaObjectID: (slot) => String(2_000_000 + slot),
      MediaURL: (slot) => `https://assets.example.com/photos/640x480/${key(slot)}`,
      Order: (slot) => links.ordinalOf(slot) - 1,
      ResourceRecordKeyNumeric: parentKey,
      ResourceRecordKey: textKey,
      ResourceRecordID: textKey,
      MediaModificationTimestamp: (slot) => formatTimestamp(timestamp(slot)),
      ClassName: () => "Residential",
      ImageSizeDescription: () => "Large",
      MediaCategory: () => "Photo",
      MediaType: () => "Jpeg",
      ResourceName: () => "Property",
      Permission: (slot) => (draw(slot, 9) % 20 === 0 ? "Private" : "Public,IDX"),
    },
  };
}

/** Makes the open houses: one listing in ten has one or two. */
export function createOpenHouseSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "OpenHouse");
  const links = new ChildLinks(data.listings, (parent) => someOf(draw(parent, 99), 10, 2));
  const parentKey = (slot: number): number => listingKey(data.seed, links.parentOf(slot));
  const key = (slot: number): number => 300_000 + slot * 2 + (draw(slot, 1) % 2);
  const timestamp = stampsBefore(data.epoch, (slot) => draw(slot, 0));
  const start = (slot: number): number => {
    const day = Math.floor(timestamp(slot) / (24 * HOUR)) + 3 + (draw(slot, 2) % 10);
    return day * 24 * HOUR + (15 + (draw(slot, 3) % 10)) * HOUR;
  };
  return {
    rows: links.rows,
    key,
    timestamp,
    links,
    columns: {
      OpenHouseKeyNumeric: key,
      OpenHouseKey: (slot) => String(key(slot)),
      OpenHouseId: (slot) => String(key(slot)),
      ListingKeyNumeric: parentKey,
      ListingKey: (slot) => String(parentKey(slot)),
      ListingId: (slot) => String(parentKey(slot)),
      ShowingAgentKeyNumeric: (slot) => memberKey(draw(slot, 4) % data.members),
      OpenHouseRemarks: (slot) => (draw(slot, 5) % 3 === 0 ? "Refreshments served" : null),
      // The day in UTC: an evening in Utah shows the next one.
      OpenHouseDate: (slot) => formatTimestamp(start(slot)).slice(0, 10),
      OpenHouseStartTime: (slot) => formatTimestamp(start(slot)),
      OpenHouseEndTime: (slot) => formatTimestamp(start(slot) + 2 * HOUR),
      OriginalEntryTimestamp: (slot) => formatTimestamp(timestamp(slot)),
      OpenHouseStatus: () => "Active",
      OpenHouseType: (slot) => (draw(slot, 6) % 4 === 0 ? "Broker" : "Public"),
    },
  };
}

/** Makes the unit types: the entity set without any timestamp. */
export function createUnitTypeSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "PropertyUnitTypes");
  const links = new ChildLinks(data.listings, (parent) => someOf(draw(parent, 99), 25, 4));
  const parentKey = (slot: number): number => listingKey(data.seed, links.parentOf(slot));
  const key = (slot: number): string => `${parentKey(slot)}-${links.ordinalOf(slot)}`;
  return {
    rows: links.rows,
    key,
    timestamp: () => 0,
    links,
    columns: {
      UnitTypeKey: key,
      ListingKeyNumeric: parentKey,
      ListingKey: (slot) => String(parentKey(slot)),
      ListingId: (slot) => String(parentKey(slot)),
      UnitTypeUnitsTotal: (slot) => 1 + (draw(slot, 1) % 8),
      UnitTypeActualRent: (slot) => decimalText((600 + (draw(slot, 2) % 1_800)) * 100, 2),
      UnitTypeBedsTotal: (slot) => 1 + (draw(slot, 3) % 3),
      UnitTypeBathsTotal: (slot) => 1 + (draw(slot, 4) % 2),
      UnitTypeDescription: (slot) => (draw(slot, 5) % 2 === 0 ? `Unit ${slot}` : null),
    },
  };
}

/** Makes the accessory dwelling units of one listing in thirty. */
export function createAduSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "Adu");
  const links = new ChildLinks(data.listings, (parent) => someOf(draw(parent, 99), 30, 1));
  const key = (slot: number): number => 7_000 + slot;
  return {
    rows: links.rows,
    key,
    timestamp: stampsBefore(data.epoch, (slot) => draw(slot, 0)),
    links,
    columns: {
      AduKeyNumeric: key,
      ListingKeyNumeric: (slot) => listingKey(data.seed, links.parentOf(slot)),
      BedroomsTotal: (slot) => 1 + (draw(slot, 1) % 2),
      BathroomsTotal: () => 1,
      SquareFeet: (slot) => decimalText((300 + (draw(slot, 2) % 900)) * 100, 2),
      Rent: (slot) => decimalText((700 + (draw(slot, 3) % 900)) * 100, 2),
      AttachedYN: (slot) => draw(slot, 4) % 2 === 0,
      KitchenYN: (slot) => draw(slot, 5) % 3 !== 0,
    },
  };
}

function someOf(value: number, oneIn: number, max: number): number {
  return value % oneIn === 0 ? 1 + ((value >>> 8) % max) : 0;
}

function stampsBefore(epoch: string, draw: (slot: number) => number): (slot: number) => number {
  const end = parseTimestamp(epoch) ?? 0;
  return (slot) => end - (1 + (draw(slot) % (2 * 365 * 86_400))) * 1_000_000;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
