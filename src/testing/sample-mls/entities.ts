import { ENUM_DEFINITIONS } from "./enums.ts";
import type {
  EdmType,
  EntityDefinition,
  Model,
  NavigationDefinition,
  PropertyDefinition,
} from "./model.ts";
import type { SampleGrant, SampleVendor } from "./options.ts";
import { amount, choice, count, flag, integer, stamp, text } from "./property-definition.ts";
import { PROPERTY_FIELDS, widenedFields } from "./property-fields.ts";

/** Builds the model; `propertyFields` sets how many columns Property has. */
export function createModel(
  propertyFields: number,
  plays?: SampleVendor,
  granted: readonly SampleGrant[] = [],
): Model {
  const property = entity("Property", "ListingKeyNumeric", {
    alternateKeys: ["ListingKey", "ListingId"],
    properties: [...PROPERTY_FIELDS, ...widenedFields(propertyFields)],
    navigations: ["Media", "Member", "Office", "OpenHouse", "PropertyUnitTypes", "Adu"],
  });
  return {
    entities: [
      ...[property, ...OTHER_ENTITIES].map((each) => playedEntity(each, plays)),
      ...granted.map((name) => GRANTED_ENTITIES[name]),
    ],
    enums: new Map(ENUM_DEFINITIONS.map((definition) => [definition.name, definition])),
  };
}

const BRIDGE_SETS: ReadonlySet<string> = new Set(["Property", "Member", "Office", "OpenHouse"]);

/** The entity with the fields that a platform adds to it. */
function playedEntity(entity: EntityDefinition, plays: SampleVendor | undefined): EntityDefinition {
  const { name, properties, timestamp } = entity;
  if (plays === "mlsgrid" && timestamp !== "TimestampModified" && !entity.isUndocumented) {
    const added = [text("OriginatingSystemName", 255), flag("MlgCanView")];
    return { ...entity, properties: [...properties, ...added], addedProperties: added.length };
  }
  if (plays === "bridge" && BRIDGE_SETS.has(name)) {
    const own = "BridgeModificationTimestamp";
    return {
      ...entity,
      timestamp: own,
      properties: [...properties, stamp(own)],
      addedProperties: 1,
    };
  }
  return entity;
}

interface EntityParts {
  readonly properties: readonly PropertyDefinition[];
  readonly timestamp?: string | undefined;
  readonly alternateKeys?: readonly string[];
  readonly parentKeys?: readonly string[];
  readonly navigations?: readonly string[];
}

function entity(name: string, key: string | undefined, parts: EntityParts): EntityDefinition {
  const navigations: NavigationDefinition[] = (parts.navigations ?? []).map((target) => ({
    name: target,
    target,
  }));
  return {
    name,
    key,
    timestamp: "timestamp" in parts ? parts.timestamp : "ModificationTimestamp",
    alternateKeys: parts.alternateKeys ?? [],
    parentKeys: parts.parentKeys ?? [],
    properties: parts.properties,
    navigations,
    addedProperties: 0,
    isUndocumented: key === undefined,
  };
}

const LISTING_KEYS = ["ListingKeyNumeric", "ListingKey"];

const OTHER_ENTITIES: readonly EntityDefinition[] = [
  entity("Member", "MemberKeyNumeric", {
    alternateKeys: ["MemberKey"],
    navigations: ["Office"],
    properties: [
      integer("MemberKeyNumeric"),
      integer("OfficeKeyNumeric"),
      text("MemberKey", 255),
      text("MemberMlsId", 25),
      text("MemberFirstName", 50),
      text("MemberLastName", 50),
      text("MemberFullName", 150),
      text("MemberStateLicense", 50),
      text("MemberPreferredPhone", 16),
      text("MemberCity", 50),
      text("OfficeKey", 255),
      text("OfficeName", 255),
      stamp("ModificationTimestamp"),
      stamp("OriginalEntryTimestamp"),
      choice("MemberStatus"),
    ],
  }),
  entity("Office", "OfficeKeyNumeric", {
    alternateKeys: ["OfficeKey"],
    properties: [
      integer("OfficeKeyNumeric"),
      text("OfficeKey", 255),
      text("OfficeMlsId", 25),
      text("OfficeName", 255),
      text("OfficeAddress1", 50),
      text("OfficeCity", 50),
      text("OfficePostalCode", 10),
      text("OfficePhone", 16),
      stamp("ModificationTimestamp"),
      stamp("OriginalEntryTimestamp"),
      choice("StateOrProvince"),
      choice("OfficeStatus"),
    ],
  }),
  entity("OpenHouse", "OpenHouseKeyNumeric", {
    alternateKeys: ["OpenHouseKey", "OpenHouseId"],
    parentKeys: [...LISTING_KEYS, "ListingId"],
    navigations: ["Property"],
    properties: [
      integer("OpenHouseKeyNumeric"),
      integer("ListingKeyNumeric"),
      integer("ShowingAgentKeyNumeric"),
      text("ListingId", 255),
      text("ListingKey", 255),
      text("OpenHouseId", 255),
      text("OpenHouseKey", 255),
      text("OpenHouseRemarks", 500),
      column("OpenHouseDate", "Date", { maxLength: 10 }),
      stamp("ModificationTimestamp"),
      stamp("OpenHouseEndTime"),
      stamp("OpenHouseStartTime"),
      stamp("OriginalEntryTimestamp"),
      choice("OpenHouseStatus"),
      choice("OpenHouseType"),
    ],
  }),
  entity("Media", "MediaKey", {
    parentKeys: ["ResourceRecordKeyNumeric", "ResourceRecordKey", "ResourceRecordID"],
    navigations: ["Property"],
    properties: [
      count("Order", 4),
      text("ResourceRecordID", 255),
      text("ResourceRecordKey", 255),
      text("LongDescription", 1024),
      text("MediaKey", 255),
      text("MediaObjectID", 255),
      text("MediaURL", 8000),
      stamp("MediaModificationTimestamp"),
      stamp("ModificationTimestamp"),
      choice("ClassName", "PropertyType"),
      choice("ImageSizeDescription"),
      choice("MediaCategory"),
      choice("MediaType"),
      choice("ResourceName"),
      choice("Permission"),
      integer("ResourceRecordKeyNumeric"),
    ],
  }),
  entity("DataSystem", "DSName", {
    timestamp: "TimestampModified",
    properties: [
      text("DSName", 255),
      text("ServiceUri", 255),
      text("TransportVersion", 255),
      text("DataDictionaryVersion", 255),
      stamp("TimestampModified"),
    ],
  }),
  entity("Resource", "RName", {
    timestamp: "TimestampModified",
    properties: [
      count("TimeZoneOffset", 3),
      text("RName", 255),
      text("DSName", 255),
      text("ResourcePath", 255),
      text("Description", 255),
      stamp("TimestampModified"),
    ],
  }),
  entity("PropertyUnitTypes", "UnitTypeKey", {
    timestamp: undefined,
    parentKeys: [...LISTING_KEYS, "ListingId"],
    navigations: ["Property"],
    properties: [
      integer("ListingKeyNumeric"),
      count("UnitTypeUnitsTotal", 3),
      amount("UnitTypeActualRent"),
      count("UnitTypeBedsTotal", 3),
      count("UnitTypeBathsTotal", 3),
      text("ListingId", 255),
      text("ListingKey", 255),
      text("UnitTypeKey", 255),
      text("UnitTypeDescription", 255),
    ],
  }),
  entity("Adu", "AduKeyNumeric", {
    parentKeys: ["ListingKeyNumeric"],
    navigations: ["Property"],
    properties: [
      integer("AduKeyNumeric"),
      integer("ListingKeyNumeric"),
      count("BedroomsTotal", 3),
      count("BathroomsTotal", 3),
      amount("SquareFeet"),
      amount("Rent"),
      text("Remarks", 4000),
      flag("AttachedYN"),
      flag("KitchenYN"),
      stamp("ModificationTimestamp"),
    ],
  }),
  entity("Lookup", "LookupKey", {
    properties: [
      column("LookupKey", "String"),
      column("LookupName", "String"),
      column("LookupValue", "String"),
      column("StandardLookupValue", "String"),
      column("LegacyODataValue", "String"),
      column("ModificationTimestamp", "DateTimeOffset", { precision: 0, scale: 0 }),
    ],
  }),
  entity("Deleted", undefined, {
    timestamp: "ts",
    properties: [
      column("resource", "String"),
      column("primary_key", "String"),
      column("ts", "DateTimeOffset"),
    ],
  }),
];

/** Sets that are served where they are granted. */
const GRANTED_ENTITIES: Readonly<Record<SampleGrant, EntityDefinition>> = {
  EntityEvent: entity("EntityEvent", "EntityEventSequence", {
    timestamp: undefined,
    properties: [
      column("EntityEventSequence", "Int64"),
      text("ResourceName", 255),
      text("ResourceRecordKey", 255),
      text("ResourceRecordUrl", 8000),
    ],
  }),
  // As at WFRMLS, `$metadata` knows nothing of it.
  HistoryTransactional: {
    ...entity("HistoryTransactional", "HistoryTransactionalKey", {
      properties: [
        text("HistoryTransactionalKey", 255),
        text("ResourceName", 255),
        text("ResourceRecordKey", 255),
        text("FieldName", 255),
        text("PreviousValue", 8000),
        text("NewValue", 8000),
        text("ChangeType", 255),
        text("ChangedByMemberKey", 255),
        stamp("ModificationTimestamp"),
        column("EntityEventSequence", "Int64"),
      ],
    }),
    isUndocumented: true,
  },
};

function column(
  name: string,
  type: EdmType,
  facets: Partial<PropertyDefinition> = {},
): PropertyDefinition {
  return { name, type, ...facets };
}
