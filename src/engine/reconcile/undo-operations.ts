import type { JournaledOperation, Operation, PlannedField } from "../../model/plan.ts";
import { fieldIndex } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { bearsMark } from "./standing.ts";

/** The operation that takes another back: it expects what the other left. */
export function inverse(
  context: ReconcileContext,
  plan: string,
  done: JournaledOperation,
): Operation {
  const id = `${plan}:${done.link}:${done.side}`;
  const { side } = done;
  const own = context.sides.find(({ name }) => name === side);
  const key = done.storedKey ?? done.key;
  const left = (field: PlannedField): PlannedField["after"] =>
    done.stored?.[field.field] ?? field.after;
  switch (done.kind) {
    case "create":
      return {
        id,
        side,
        kind: "delete",
        ...(key === undefined ? {} : { key }),
        fields: Object.entries({ ...valuesLeft(done), ...done.stored }).map(([field, before]) => ({
          ...calledNow(own, done.fields.find((sent) => sent.field === field) ?? { field }),
          before,
          after: null,
        })),
      };
    case "update":
      return {
        id,
        side,
        kind: "update",
        ...(key === undefined ? {} : { key }),
        fields: done.fields.map((field) => ({
          field: calledNow(own, field).field,
          before: left(field),
          after: field.before ?? null,
          ...(field.shared === undefined ? {} : { shared: field.shared }),
        })),
      };
    case "delete": {
      const schema = own?.schema;
      const { assignsKeys: assigned = false, fields: writable } = schema?.traits.write ?? {};
      // What the side makes itself, such as a generated column, it was read with and takes from nobody.
      const isTaken = ({ field }: Pick<PlannedField, "field">): boolean =>
        schema?.key.includes(field) === true ? !assigned : writable?.includes(field) !== false;
      const fields = done.fields
        .map((field) => ({ ...calledNow(own, field), after: field.before ?? null }))
        .filter(isTaken);
      const keyed = assigned || key === undefined ? {} : { key };
      return { id, side, kind: "create", ...keyed, fields };
    }
  }
}

/**
 * What the side calls a field now, and which shared one it is: a column may have been renamed since.
 * By its old name it would not be compared, so that somebody's edit went, and not be put back.
 */
function calledNow(
  side: SideContext | undefined,
  { field, shared, place = shared }: Pick<PlannedField, "field" | "shared" | "place">,
): Pick<PlannedField, "field" | "place"> {
  const index = place === undefined ? undefined : side?.mapping.writtenTo(place);
  const isThere = side === undefined || fieldIndex(side.schema, field) >= 0;
  const name = isThere || index === undefined ? field : side.schema.fields[index]?.name;
  return { field: name ?? field, ...(place === undefined ? {} : { place }) };
}

function valuesLeft({ fields }: JournaledOperation): Readonly<Record<string, Value>> {
  return Object.fromEntries(fields.map(({ field, after }) => [field, after]));
}

/** Sides with the very record that the run made; one made since, under another key, stays. */
export function unlinkedSides(
  written: readonly JournaledOperation[],
  stored: StoredLink | undefined,
): readonly string[] {
  return written.flatMap(({ kind, side, key, storedKey }) => {
    const now = stored?.sides[side]?.key;
    return kind === "create" && now !== undefined && now === (storedKey ?? key) ? [side] : [];
  });
}

/**
 * Sides where an undo of a first meeting marks the record as deleted again: there it had been let go
 * before and left standing, and is to be known as that, not met as somebody's wish.
 */
export function markedAgain(
  { sides }: ReconcileContext,
  operations: readonly Operation[],
): readonly string[] {
  return sides.flatMap(({ name, role: { remove }, schema, mapping }) => {
    const operation = operations.find(({ side, kind }) => side === name && kind === "update");
    if (typeof remove === "string" || operation === undefined) return [];
    const after = new Map(operation.fields.map((planned) => [planned.field, planned.after]));
    const { values } = mapping.toShared(schema.fields.map((field) => after.get(field.name)));
    return bearsMark(remove.mark, values) ? [name] : [];
  });
}
