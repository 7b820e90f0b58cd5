import type { PropertyDefinition } from "./model.ts";
import { amount, choice, count, flag, integer, stamp, text } from "./property-definition.ts";

/** The forty columns that Property always has. */
export const PROPERTY_FIELDS: readonly PropertyDefinition[] = [
  integer("ListingKeyNumeric"),
  text("ListingKey", 255),
  text("ListingId", 255),
  amount("ListPrice"),
  amount("OriginalListPrice"),
  amount("ClosePrice"),
  count("BedroomsTotal", 3),
  count("BathroomsTotalInteger", 3),
  amount("LivingArea"),
  amount("LotSizeArea", 16, 4),
  count("YearBuilt", 4),
  amount("GarageSpaces"),
  amount("AssociationFee"),
  text("StreetNumber", 25),
  text("StreetName", 50),
  text("PostalCode", 10),
  text("PublicRemarks", 4000),
  integer("ListAgentKeyNumeric"),
  integer("ListOfficeKeyNumeric"),
  text("ListOfficeName", 255),
  count("PhotosCount", 4),
  { name: "SourceSystemSequence", type: "Int64" },
  flag("NewConstructionYN"),
  { name: "CloseDate", type: "Date", maxLength: 10 },
  { name: "OnMarketDate", type: "Date", maxLength: 10 },
  stamp("ModificationTimestamp"),
  stamp("OriginalEntryTimestamp"),
  stamp("PhotosChangeTimestamp"),
  stamp("PriceChangeTimestamp"),
  stamp("StatusChangeTimestamp"),
  choice("StandardStatus"),
  choice("MlsStatus", "Status"),
  choice("PropertyType"),
  choice("PropertySubType"),
  choice("City"),
  choice("StateOrProvince"),
  choice("InteriorFeatures"),
  choice("Appliances"),
  choice("BusinessType"),
  { name: "GeoLocation", type: "GeographyPoint" },
];

/** Further columns of mixed types up to `total`; most rows hold null in them. */
export function widenedFields(total: number): PropertyDefinition[] {
  const fields: PropertyDefinition[] = [];
  for (let number = PROPERTY_FIELDS.length + 1; number <= total; number += 1) {
    fields.push(widenedField(number));
  }
  return fields;
}

function widenedField(number: number): PropertyDefinition {
  const suffix = String(number).padStart(3, "0");
  switch (number % 7) {
    case 0:
      return count(`ExtraCount${suffix}`, 3);
    case 1:
      return amount(`ExtraAmount${suffix}`);
    case 2:
      return flag(`Extra${suffix}YN`);
    case 3:
      return choice(`ExtraFeatures${suffix}`, "InteriorFeatures");
    case 4:
      return { name: `ExtraDate${suffix}`, type: "Date", maxLength: 10 };
    case 5:
      return choice(`ExtraCity${suffix}`, "City");
    default:
      return text(`ExtraText${suffix}`, 255);
  }
}
