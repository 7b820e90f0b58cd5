import { createDraw } from "./hash.ts";
import type { EnumDefinition, Value } from "./model.ts";
import type { SampleData } from "./options.ts";
import type { Column, RowSource } from "./row-source.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

/** Makes `Lookup`: one row for each member of each enum, with microsecond timestamps. */
export function createLookupSource(
  data: SampleData,
  enums: ReadonlyMap<string, EnumDefinition>,
): RowSource {
  const draw = createDraw(data.seed, "Lookup");
  const epoch = parseTimestamp(data.epoch) ?? 0;
  const rows = [...enums.values()]
    .flatMap(({ name, members }) =>
      members.map((member) => ({
        LookupKey: `${name}.${member.name}`,
        LookupName: name,
        LookupValue: member.display,
        StandardLookupValue: member.display === member.name ? null : member.display,
        LegacyODataValue: member.name,
      })),
    )
    .sort((a, b) => (a.LookupKey < b.LookupKey ? -1 : 1));
  return fixedSource(rows, "LookupKey", (slot) => {
    const millions = 1 + (draw(slot, 0) % 300) * 86_400;
    return epoch - millions * 1_000_000 + (draw(slot, 1) % 1_000_000);
  });
}

/** Makes `DataSystem`: the one row that the real service has. */
export function createDataSystemSource(data: SampleData): RowSource {
  const row = {
    DSName: "SampleMls",
    ServiceUri: "/reso/odata",
    TransportVersion: "1.02",
    DataDictionaryVersion: "1.7",
  };
  return fixedSource([row], "DSName", () => parseTimestamp(data.epoch) ?? 0);
}

/** Makes `Resource`: one row for each entity set. */
export function createResourceSource(data: SampleData, names: readonly string[]): RowSource {
  const rows = [...names].sort().map((name) => ({
    RName: name,
    DSName: "SampleMls",
    ResourcePath: `/${name}`,
    Description: `${name} records`,
    TimeZoneOffset: -7,
  }));
  return fixedSource(rows, "RName", () => parseTimestamp(data.epoch) ?? 0);
}

/** Makes the old rows of `Deleted`: keys no listing has, three rows for each instant. */
export function createDeletedSource(data: SampleData): RowSource {
  const draw = createDraw(data.seed, "Deleted");
  const epoch = parseTimestamp(data.epoch) ?? 0;
  const stamp = (slot: number): number =>
    epoch - (Math.floor((data.deletedHistory - 1 - slot) / 3) + 1) * 7_200_000_000;
  return {
    rows: data.deletedHistory,
    key: (slot) => slot,
    timestamp: stamp,
    columns: {
      resource: (slot) => (draw(slot, 0) % 3 === 0 ? "OpenHouse" : "Property"),
      primary_key: (slot) => String(draw(slot, 0) % 3 === 0 ? 200_000 + slot : 900_000 + slot),
      ts: (slot) => formatTimestamp(stamp(slot)),
    },
  };
}

function fixedSource(
  rows: readonly Readonly<Record<string, Value>>[],
  key: string,
  timestamp: (slot: number) => number,
): RowSource {
  const names = Object.keys(rows[0] ?? {});
  const columns: Record<string, Column> = Object.fromEntries(
    names.map((name): [string, Column] => [name, (slot) => rows[slot]?.[name] ?? null]),
  );
  return { rows: rows.length, key: (slot) => rows[slot]?.[key] as string, timestamp, columns };
}
