import { ENUM_DEFINITIONS } from "./enums.ts";
import type { Draw } from "./hash.ts";
import { createDraw, hash32, pick } from "./hash.ts";
import type { EntityDefinition, PropertyDefinition, Value } from "./model.ts";
import { decimalText } from "./numbers.ts";
import type { SampleData } from "./options.ts";
import { memberKey, officeKey, officeName } from "./people.ts";
import { PROPERTY_FIELDS } from "./property-fields.ts";
import type { Column, RowSource, SparseColumns } from "./row-source.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

/** The status of the local system that goes with each standard status. */
export const MLS_STATUS: Readonly<Record<string, string>> = {
  Active: "Active",
  ActiveUnderContract: "Backup",
  Pending: "UnderContract",
  Closed: "Sold",
  Expired: "Expired",
  Withdrawn: "Withdrawn",
  Canceled: "Canceled",
  Hold: "ActiveNoShow",
};

const STATUS_SHARES =
  "Active,Active,Active,Active,Active,Active,Active,Active,Pending,Pending,ActiveUnderContract," +
  "Closed,Closed,Closed,Closed,Closed,Expired,Withdrawn,Canceled,Hold";

const STREETS =
  "Main St,Center St,Wasatch Blvd,Redwood Rd,Cottonwood Ln,Foothill Dr,Peña Blanca Cir," +
  "Saint-André Way,Timpanogos Ave,Oquirrh Vista Dr,Bonneville Way,O'Brien Ct";

const REMARKS =
  "Charming home with mountain views, a fenced yard and mature trees. Close to schools, parks and" +
  " TRAX; 5 min to the freeway. Buyer to verify all information, square footage included.|" +
  "Open plan with vaulted ceilings, new carpet & paint. Große Küche, ruhige Lage, ready to move in!|" +
  'Seller says: "bring all offers".\nNew roof in 2021, furnace in 2019, permit #2020\\17.|' +
  "Casita with a view of the piñon pines; café and trails across the street. Basement 95% finished.";

/** Letters beyond Latin-1, which take other paths through encoders. They are in one row of 16. */
const RARE_REMARKS = "山の景色が美しい家。|Piñon pines 🌲 – 9′ ceilings, R\u202f38 insulation —";

/** Key of a listing; ascends with the slot, leaves gaps, and has seven digits. */
export function listingKey(seed: number, slot: number): number {
  return 1_000_000 + slot * 3 + (hash32(seed, slot, 77) % 3);
}

/** Number of photos of a generated listing. */
export function photosOf(data: SampleData, slot: number): number {
  return hash32(data.seed, slot, 78) % (data.photosMax + 1);
}

/** Makes the listings. Bulk edits of the past show as groups of `tieSize` equal timestamps. */
export function createPropertySource(data: SampleData, entity: EntityDefinition): RowSource {
  const draw = createDraw(data.seed, "Property");
  const timestamp = lastChange(data, draw);
  const columns: Record<string, Column> = {
    ...keyColumns(data, draw),
    ...priceColumns(draw),
    ...placeColumns(draw),
    ...buildingColumns(data, draw),
    ...timeColumns(draw, timestamp),
  };
  const sparse: SparseColumns = {
    first: PROPERTY_FIELDS.length,
    size: 16,
    isEmpty: (slot, block) => (draw(slot, 100 + block) & 3) !== 0,
  };
  for (const [index, property] of entity.properties.entries()) {
    columns[property.name] ??= sparseColumn(draw, property, index, sparse);
  }
  const key = (slot: number): number => listingKey(data.seed, slot);
  return { rows: data.listings, key, timestamp, columns, sparse };
}

function lastChange(data: SampleData, draw: Draw): (slot: number) => number {
  const epoch = parseTimestamp(data.epoch) ?? 0;
  const stride = Math.floor(data.listings / data.tieSize);
  const tieGroups = stride < 2 ? 0 : Math.max(1, Math.floor(stride / 20));
  const age = (value: number): number => {
    const share = value / 0x1_0000_0000;
    return Math.floor(share * share * 5 * 365 * 86_400) * SECOND + SECOND;
  };
  return (slot) => {
    const group = slot % stride;
    return group < tieGroups ? epoch - age(draw(group, 1_000)) : epoch - age(draw(slot, 0));
  };
}

function keyColumns(data: SampleData, draw: Draw): Record<string, Column> {
  const textKey: Column = (slot) => String(listingKey(data.seed, slot));
  const agent = (slot: number): number => draw(slot, 1) % data.members;
  const office = (slot: number): number => agent(slot) % data.offices;
  return {
    ListingKeyNumeric: (slot) => listingKey(data.seed, slot),
    ListingKey: textKey,
    ListingId: textKey,
    ListAgentKeyNumeric: (slot) => memberKey(agent(slot)),
    ListOfficeKeyNumeric: (slot) => officeKey(office(slot)),
    ListOfficeName: (slot) => officeName(office(slot)),
    PhotosCount: (slot) => photosOf(data, slot),
    // Above 2^53, and odd, so that a reader that goes through a double changes it.
    SourceSystemSequence: (slot) => String(9_007_199_254_740_993n + BigInt(slot) * 2n),
  };
}

function priceColumns(draw: Draw): Record<string, Column> {
  const status = statusOf(draw);
  const dollars = (slot: number): number => 95_000 + (draw(slot, 2) % 2_400) * 500;
  const cut = (slot: number): number => (draw(slot, 3) % 3 === 0 ? 5_000 : 0);
  const cents = (slot: number): number => (draw(slot, 4) % 50 === 0 ? 99 : 0);
  return {
    ListPrice: (slot) => decimalText(dollars(slot) * 100 + cents(slot), 2),
    OriginalListPrice: (slot) => decimalText((dollars(slot) + cut(slot)) * 100 + cents(slot), 2),
    ClosePrice: (slot) =>
      status(slot) === "Closed" ? decimalText(dollars(slot) * 97 + cents(slot), 2) : null,
    AssociationFee: (slot) =>
      draw(slot, 5) % 4 === 0 ? decimalText((draw(slot, 5) >>> 4) % 60_000, 2) : null,
  };
}

function statusOf(draw: Draw): (slot: number) => string {
  const shares = STATUS_SHARES.split(",");
  return (slot) => pick(shares, draw(slot, 6));
}

function placeColumns(draw: Draw): Record<string, Column> {
  const streets = STREETS.split(",");
  return {
    StreetNumber: (slot) => String(10 + (draw(slot, 10) % 9_900)),
    // Grid addresses are a number; the rest are names, some with letters beyond ASCII.
    StreetName: (slot) =>
      draw(slot, 11) % 2 === 0
        ? String(((draw(slot, 11) >>> 3) % 120) * 100)
        : pick(streets, draw(slot, 11) >>> 3),
    City: (slot) => enumMember("City", draw(slot, 12)),
    StateOrProvince: () => "UT",
    PostalCode: (slot) => String(84_001 + (draw(slot, 13) % 780)),
    GeoLocation: (slot) => ({
      type: "Point",
      coordinates: [
        -(1_110_000 + (draw(slot, 14) % 30_000)) / 10_000,
        (370_000 + (draw(slot, 15) % 50_000)) / 10_000,
      ],
    }),
  };
}

function buildingColumns(data: SampleData, draw: Draw): Record<string, Column> {
  const status = statusOf(draw);
  const common = REMARKS.split("|");
  const rare = RARE_REMARKS.split("|");
  const isLand = (slot: number): boolean => draw(slot, 20) % 12 === 0;
  const unlessLand =
    (column: Column): Column =>
    (slot) =>
      isLand(slot) ? null : column(slot);
  return {
    StandardStatus: status,
    MlsStatus: (slot) => MLS_STATUS[status(slot)] ?? null,
    PropertyType: (slot) => (isLand(slot) ? "Land" : "Residential"),
    PropertySubType: unlessLand((slot) => enumMember("PropertySubType", draw(slot, 21) % 5)),
    BedroomsTotal: unlessLand((slot) => 1 + (draw(slot, 22) % 7)),
    BathroomsTotalInteger: unlessLand((slot) => 1 + (draw(slot, 23) % 5)),
    LivingArea: unlessLand((slot) => decimalText((600 + (draw(slot, 24) % 5_200)) * 100, 2)),
    // Sixteen digits now and then: as much as the declared (16,4) can hold, and beyond a double.
    LotSizeArea: (slot) =>
      draw(slot, 25) % 400 === 0
        ? decimalText(9_007_199_254_740_993n - BigInt(slot), 4)
        : decimalText(draw(slot, 25) % 1_000_000, 4),
    YearBuilt: unlessLand((slot) => 1890 + (draw(slot, 26) % 135)),
    GarageSpaces: unlessLand((slot) => decimalText((draw(slot, 27) % 9) * 50, 2)),
    NewConstructionYN: (slot) => (draw(slot, 28) % 5 === 0 ? null : draw(slot, 28) % 7 === 1),
    InteriorFeatures: unlessLand((slot) => flagMembers("InteriorFeatures", draw(slot, 29))),
    Appliances: unlessLand((slot) => flagMembers("Appliances", draw(slot, 30))),
    BusinessType: (slot) =>
      draw(slot, 31) % 10 === 0 ? flagMembers("BusinessType", draw(slot, 32)) : null,
    PublicRemarks: (slot) => {
      const value = draw(slot, 33);
      const text = pick(value % 16 === 1 ? rare : common, value >>> 4);
      return value % 9 === 0 ? "" : `${text} (${listingKey(data.seed, slot)})`;
    },
  };
}

function timeColumns(draw: Draw, changed: (slot: number) => number): Record<string, Column> {
  const entered = (slot: number): number =>
    changed(slot) - (draw(slot, 40) % (400 * 86_400)) * SECOND;
  const between = (slot: number, salt: number): string => {
    const span = (changed(slot) - entered(slot)) / SECOND;
    return formatTimestamp(changed(slot) - (draw(slot, salt) % (span + 1)) * SECOND);
  };
  const day = (micros: number): string => formatTimestamp(micros).slice(0, 10);
  const status = statusOf(draw);
  return {
    OriginalEntryTimestamp: (slot) => formatTimestamp(entered(slot)),
    PhotosChangeTimestamp: (slot) => between(slot, 41),
    PriceChangeTimestamp: (slot) => (draw(slot, 3) % 3 === 0 ? between(slot, 42) : null),
    StatusChangeTimestamp: (slot) => between(slot, 43),
    OnMarketDate: (slot) => day(entered(slot) + DAY),
    CloseDate: (slot) => (status(slot) === "Closed" ? day(changed(slot)) : null),
  };
}

/** A column that is null in seven of eight rows, for tables as wide as the real ones. */
function sparseColumn(
  draw: Draw,
  property: PropertyDefinition,
  index: number,
  sparse: SparseColumns,
): Column {
  const filled = sparseValue(property);
  const block = Math.floor((index - sparse.first) / sparse.size);
  return (slot) => {
    if (sparse.isEmpty(slot, block)) {
      return null;
    }
    const value = draw(slot, 1_000 + index);
    return (value & 1) === 0 ? filled(value >>> 1) : null;
  };
}

function sparseValue(property: PropertyDefinition): (value: number) => Value {
  switch (property.type) {
    case "Int32":
      return (value) => value % 1_000;
    case "Decimal":
      return (value) => decimalText(value % 10_000_000, property.scale ?? 2);
    case "Boolean":
      return (value) => value % 2 === 0;
    case "Date":
      return (value) => `20${10 + (value % 15)}-0${1 + (value % 9)}-1${value % 10}`;
    case "Enum":
      return property.enumName === "City"
        ? (value) => enumMember("City", value)
        : (value) => flagMembers(property.enumName ?? "", value);
    default:
      return (value) => `text ${value % 100_000}`;
  }
}

const MEMBERS = new Map(
  ENUM_DEFINITIONS.map(({ name, members }) => [name, members.map((member) => member.name)]),
);

function enumMember(name: string, value: number): string {
  return pick(MEMBERS.get(name) ?? [], value);
}

const FLAG_SETS = new Map(
  ENUM_DEFINITIONS.filter(({ isFlags }) => isFlags).map(({ name }) => [name, flagSets(name)]),
);

function flagMembers(name: string, value: number): string {
  return pick(FLAG_SETS.get(name) ?? [], value);
}

/** A few hundred combinations of one to three members, the highest bit often among them. */
function flagSets(name: string): string[] {
  const members = MEMBERS.get(name) ?? [];
  return Array.from({ length: 256 }, (_, index) => {
    const value = hash32(index, members.length, 0);
    const chosen = new Set([
      value % members.length,
      (value >>> 8) % members.length,
      (value >>> 16) % 4 === 0 ? members.length - 1 : (value >>> 18) % members.length,
    ]);
    return [...chosen]
      .sort((a, b) => a - b)
      .map((position) => members[position])
      .join(",");
  });
}
