import { createDraw, pick } from "./hash.ts";
import type { SampleData } from "./options.ts";
import type { RowSource } from "./row-source.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

const FIRST = "Ana,Brigham,Chloé,Dean,Eliza,Finn,Grace,Heber,Iris,José,Kai,Lena".split(",");
const LAST = "Allred,Bjørnson,Christensen,Draper,Eyre,Fonoti,Garcia,Hansen,O'Dell".split(",");
const BROKERS = "Wasatch,Beehive,Red Rock,Zion,Bonneville,Uinta,Golden Spike".split(",");

/** Key of a member. */
export function memberKey(slot: number): number {
  return 10_000 + slot * 7;
}

/** Key of an office. */
export function officeKey(slot: number): number {
  return 500 + slot * 3;
}

/** Name of an office. */
export function officeName(slot: number): string {
  return `${pick(BROKERS, slot)} Realty ${slot + 1}`;
}

/** Makes the agents; each belongs to the office that its listings name. */
export function createMemberSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "Member");
  const timestamp = yearsBefore(data.epoch, (slot) => draw(slot, 0));
  const office = (slot: number): number => slot % data.offices;
  const first = (slot: number): string => pick(FIRST, draw(slot, 1));
  const last = (slot: number): string => pick(LAST, draw(slot, 2));
  return {
    rows: data.members,
    key: memberKey,
    timestamp,
    columns: {
      MemberKeyNumeric: memberKey,
      MemberKey: (slot) => String(memberKey(slot)),
      OfficeKeyNumeric: (slot) => officeKey(office(slot)),
      OfficeKey: (slot) => String(officeKey(office(slot))),
      OfficeName: (slot) => officeName(office(slot)),
      MemberMlsId: (slot) => `M${slot + 1}`,
      MemberFirstName: first,
      MemberLastName: last,
      MemberFullName: (slot) => `${first(slot)} ${last(slot)}`,
      MemberStateLicense: (slot) => `${5_000_000 + (draw(slot, 3) % 900_000)}-SA00`,
      MemberPreferredPhone: (slot) => phone(draw(slot, 4)),
      MemberCity: () => "Salt Lake City",
      MemberStatus: (slot) => (draw(slot, 5) % 9 === 0 ? "Inactive" : "Active"),
      OriginalEntryTimestamp: (slot) => formatTimestamp(timestamp(slot) - 86_400_000_000),
    },
  };
}

/** Makes the offices. */
export function createOfficeSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "Office");
  const timestamp = yearsBefore(data.epoch, (slot) => draw(slot, 0));
  return {
    rows: data.offices,
    key: officeKey,
    timestamp,
    columns: {
      OfficeKeyNumeric: officeKey,
      OfficeKey: (slot) => String(officeKey(slot)),
      OfficeMlsId: (slot) => `O${slot + 1}`,
      OfficeName: officeName,
      OfficeAddress1: (slot) => `${100 + slot} S State St`,
      OfficeCity: () => "Salt Lake City",
      OfficePostalCode: (slot) => String(84_101 + (slot % 80)),
      OfficePhone: (slot) => phone(draw(slot, 1)),
      StateOrProvince: () => "UT",
      OfficeStatus: () => "Active",
      OriginalEntryTimestamp: (slot) => formatTimestamp(timestamp(slot) - 86_400_000_000),
    },
  };
}

function phone(value: number): string {
  return `801-555-${String(value % 10_000).padStart(4, "0")}`;
}

function yearsBefore(epoch: string, draw: (slot: number) => number): (slot: number) => number {
  const end = parseTimestamp(epoch) ?? 0;
  return (slot) => end - (1 + (draw(slot) % (3 * 365 * 86_400))) * 1_000_000;
}
