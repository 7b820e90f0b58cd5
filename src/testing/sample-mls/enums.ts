import type { EnumDefinition, EnumMember } from "./model.ts";

const CITIES =
  "Alpine,American Fork,Bountiful,Brigham City,Cedar City,Cedar Hills,Centerville,Clearfield," +
  "Clinton,Cottonwood Heights,Delta,Draper,Eagle Mountain,Enoch,Ephraim,Farmington,Grantsville," +
  "Heber City,Herriman,Highland,Holladay,Hurricane,Hyde Park,Ivins,Kaysville,Kearns,Layton,Lehi," +
  "Lindon,Logan,Magna,Mapleton,Midvale,Midway,Millcreek,Moab,Murray,Nephi,North Logan,North Ogden," +
  "North Salt Lake,Ogden,Orem,Park City,Payson,Pleasant Grove,Price,Provo,Richfield,Riverdale," +
  "Riverton,Roosevelt,Roy,Salem,Salt Lake City,Sandy,Santa Clara,Santaquin,Saratoga Springs," +
  "Smithfield,South Jordan,South Ogden,Spanish Fork,Springville,St. George,Syracuse,Taylorsville," +
  "Tooele,Tremonton,Vernal,Washington,West Haven,West Jordan,West Valley City,Woods Cross";

const INTERIOR =
  "See Remarks,Accessory Apt,Alarm: Fire,Alarm: Security,Bar: Dry,Bar: Wet,Bath: Master," +
  "Bath: Sep. Tub/Shower,Central Vacuum,Closet: Walk-In,Den/Office,Disposal,Floor Drains," +
  "French Doors,Gas Log,Great Room,Jetted Tub,Kitchen: Second,Kitchen: Updated,Laundry Chute," +
  "Mother-in-Law Apt.,Oven: Double,Oven: Gas,Oven: Wall,Range: Countertop,Range/Oven: Built-In," +
  "Silestone Countertops,Vaulted Ceilings,Theater Room,Video Door Bell(s),Granite Countertops," +
  "Smart Thermostat(s),Instantaneous Hot Water,Video Camera(s),Low VOC Finishes";

const APPLIANCES =
  "Ceiling Fan,Trash Compactor,Portable Dishwasher,Dryer,Electric Air Cleaner,Freezer," +
  "Gas Grill/BBQ,Microwave,Range Hood,Refrigerator,Satellite Equipment,Satellite Dish,Washer," +
  "Water Softener: Own,Water Softener: Rent,See Remarks,Alarm System,Dog Run,Hot Tub,Humidifier";

const BUSINESSES =
  "Accounting,Administrative and Support,Advertising,Agriculture,Animal Grooming,Appliances,Aquarium," +
  "Arts and Entertainment,Athletic,Auto Body,Auto Dealer,Auto Parts,Auto Rent/Lease,Auto Service," +
  "Bakery,Bar/Tavern/Lounge,Barber/Beauty,Bed & Breakfast,Books/Cards/Stationery,Butcher,Cabinets," +
  "Candy/Cookie,Car Wash,Carpet/Tile,Child Care,Church,Clothing,Coin Laundry,Computer,Construction," +
  "Contractor,Convalescent,Convenience Store,Dance Studio,Decorator,Deli/Catering,Dental," +
  "Distributor,Drug Store,Dry Cleaner,Education/School,Electronics,Employment,Farm,Fast Food," +
  "Financial,Fitness,Florist/Nursery,Food & Beverage,Forest Reserve,Franchise,Furniture,Gas Station," +
  "Gift Shop,Grocery,Hardware,Health Food,Health Services,Hobby,Home Cleaner,Hospitality,Hotel/Motel," +
  "Ice Cream/Frozen Yogurt";

const SUBTYPES =
  "Single Family Residence,Condominium,Townhouse,Mobile Home,Industrial,Agriculture,Multi Family," +
  "Duplex,Triplex,Quadruplex,Retail,Hotel/Motel,Office,Twin,Recreational,Residential,Commercial,Other";

/** All enum types. Values of the single enums count from 1 and of flags are powers of two. */
export const ENUM_DEFINITIONS: readonly EnumDefinition[] = [
  single("StandardStatus", [
    "Active",
    "Active Under Contract",
    "Withdrawn",
    "Canceled",
    "Expired",
    "Closed",
    "Pending",
    "Hold",
  ]),
  single("Status", [
    "Active",
    "Active - Time Clause",
    "Under Contract",
    "Withdrawn",
    "Active - No Show",
    "Expired",
    "Backup",
    "Sold",
    "Certificate of Occupancy",
    "Canceled",
    "Leased",
  ]),
  single("PropertyType", [
    "Residential",
    "Farm",
    "Land",
    "Commercial Sale",
    "Commercial Lease",
    "Commercial Sale/Commercial Lease",
    "Residential Lease",
  ]),
  single("PropertySubType", SUBTYPES.split(",")),
  single("City", CITIES.split(",")),
  single("StateOrProvince", ["AZ", "CO", "ID", "NV", "UT", "WY"]),
  flags("InteriorFeatures", INTERIOR.split(",")),
  flags("Appliances", APPLIANCES.split(",")),
  flags("BusinessType", BUSINESSES.split(",")),
  flags("Permission", ["Public", "Private", "IDX", "VOW", "Office Only", "Firm Only"]),
  single("OpenHouseStatus", ["Active", "Ended", "Canceled"]),
  single("OpenHouseType", ["Public", "Broker", "Office", "Virtual"]),
  single("MediaCategory", ["Photo"]),
  single("MediaType", ["Jpeg"]),
  single("ResourceName", ["Property", "Member", "Office"]),
  single("ImageSizeDescription", ["Small", "Medium", "Large", "X-Large", "Largest"]),
  single("MemberStatus", ["Active", "Inactive"]),
  single("OfficeStatus", ["Active", "Inactive"]),
];

function single(name: string, displays: readonly string[]): EnumDefinition {
  const members = displays.map((display, index) => member(display, BigInt(index + 1)));
  return { name, isFlags: false, members };
}

function flags(name: string, displays: readonly string[]): EnumDefinition {
  const members = displays.map((display, index) => member(display, 1n << BigInt(index)));
  return { name, isFlags: true, members };
}

function member(display: string, value: bigint): EnumMember {
  return { name: memberName(display), value: String(value), display };
}

function memberName(display: string): string {
  const name = display.replace(/[^A-Za-z0-9]/g, "");
  return /^\d/.test(name) ? `_${name}` : name;
}
