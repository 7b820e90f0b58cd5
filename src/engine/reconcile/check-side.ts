import { compileMapping } from "../../core/mapping/compile-mapping.ts";
import type { MappingProblem, SideMapping } from "../../core/mapping/field-mapping.ts";
import type { SideSpec } from "../../core/mapping/reconcile-spec.ts";
import { describeType, fitValue } from "../../model/fit-value.ts";
import type { SharedField } from "../../model/reconcile.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";

/** A side that is to be written must take writes, and of the fields that are mapped to it. */
export function checkWritable(
  side: SideSpec,
  schema: StreamSchema,
  mapping: SideMapping,
): readonly MappingProblem[] {
  const written = mapping.fields.flatMap(({ direction, from }) =>
    direction !== "read" && from.kind === "field" ? [from.name] : [],
  );
  if (written.length === 0) return [];
  const { write } = schema.traits;
  if (write === undefined) {
    const reason = `is ${side.direction}, but "${side.stream}" takes no writes`;
    return [{ path: "direction", reason, remedy: "Set `direction: read`." }];
  }
  const known = new Set(schema.fields.map(({ name }) => name));
  return written
    .filter((name) => known.has(name) && write.fields !== undefined && !write.fields.includes(name))
    .map((name) => ({
      path: `fields.${name}`,
      reason: "cannot be written on this side",
      remedy: `Map it with \`direction: read\`; writable: ${write.fields?.join(", ")}.`,
    }));
}

/** What marks a record as deleted is written, so it must be shared fields that are written here. */
export function checkMark(
  { remove }: SideSpec,
  match: readonly string[],
  mapping: SideMapping,
  schema: StreamSchema,
  shared: readonly SharedField[],
): readonly MappingProblem[] {
  if (typeof remove === "string") return [];
  const { fields: mapped } = mapping;
  return Object.entries(remove.mark).flatMap(([name, value]): MappingProblem[] => {
    const path = `remove.mark.${name}`;
    const field = shared.find((each) => each.name === name);
    if (field === undefined) {
      const known = shared.map((each) => each.name).join(", ");
      const remedy = `Correct the name; shared fields: ${known}.`;
      return [{ path, reason: "is no shared field", remedy }];
    }
    const isWritten = mapped.some(
      ({ shared: to, direction, from }) =>
        to === name && direction !== "read" && from.kind === "field",
    );
    if (!isWritten) {
      const remedy = "Map it with direction `both` or `write`, or mark by another field.";
      return [{ path, reason: "is not written on this side", remedy }];
    }
    if (match.includes(name)) {
      const reason = "is what records are matched by, so that all marked ones would be one";
      return [{ path, reason, remedy: "Mark by another field." }];
    }
    const mark = fitMark(field.type, value);
    if (mark === undefined) {
      const reason = `is ${JSON.stringify(value)}; expected ${describeType(field.type)}`;
      return [{ path, reason, remedy: "Give a value of that type." }];
    }
    const { problems } = compileMapping(mapping, schema.fields, shared).toSide(
      shared.map((each) => (each.name === name ? mark : undefined)),
      "update",
    );
    return problems.map(({ message }) => ({
      path,
      reason: `cannot be written on this side: ${message.replace(/\.$/, "")}`,
      remedy: "Give a value that this side takes.",
    }));
  });
}

/** A mark's value as its field has it; a number is read digit by digit. Nothing if it does not fit. */
export function fitMark(type: ValueType, value: Value): Value | undefined {
  return fitValue(type, typeof value === "number" ? String(value) : value);
}
