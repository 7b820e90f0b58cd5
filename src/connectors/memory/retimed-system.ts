import { SyncError } from "../../model/sync-error.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import { compareKeys } from "./order.ts";
import type { MemoryRow, MemorySystem } from "./system.ts";

/** The system with the changes of the query's stream told by the field that the query names. */
export function retimedSystem(
  system: MemorySystem,
  { schema: { name: stream }, changedBy }: StreamQuery,
): MemorySystem {
  const own = system.schema(stream);
  if (changedBy === undefined || changedBy === own.modifiedAt) return system;
  const field = own.fields.find(({ name }) => name === changedBy);
  if (field?.type.kind !== "timestamp") {
    const isKnown = field !== undefined;
    throw new SyncError(
      isKnown ? "CONNECTOR_UNSUPPORTED" : "FIELD_UNKNOWN",
      `Stream "${stream}" has no ${isKnown ? "timestamp" : "field"} "${changedBy}".`,
      { context: { stream } },
    );
  }
  const { events: _, ...traits } = own.traits;
  const schema = { ...own, modifiedAt: changedBy, traits: { ...traits, changes: true } };
  const timed = (row: MemoryRow): MemoryRow => {
    const time = row.values[changedBy];
    return { ...row, time: typeof time === "string" ? time : undefined };
  };
  const changed = (): readonly MemoryRow[] =>
    system
      .rows(stream)
      .map(timed)
      .filter(({ time }) => time !== undefined)
      .sort((a, b) => {
        const [first = "", second = ""] = [a.time, b.time];
        return first === second ? compareKeys(own, a.id, b.id) : first < second ? -1 : 1;
      });
  return {
    ...system,
    schema: (name) => (name === stream ? schema : system.schema(name)),
    changed: (name) => (name === stream ? changed() : system.changed(name)),
    events: (name) => (name === stream ? [] : system.events(name)),
  };
}
