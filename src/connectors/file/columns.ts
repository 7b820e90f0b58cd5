import { claimName, destinationName } from "../../model/naming.ts";
import type { ValueType } from "../../model/value.ts";
import type { TableSpec } from "../../ports/destination.ts";

/** A field as the files show it. */
export interface Column {
  readonly field: string;
  readonly name: string;
  readonly type: ValueType;
}

/** The table's columns in the order of its fields, named as the sync's `naming` says. */
export function columnsOf({ schema, naming }: TableSpec): readonly Column[] {
  const taken = new Set<string>();
  return schema.fields.map(({ name, type }) => ({
    field: name,
    name: claimName(destinationName(name, naming), taken),
    type,
  }));
}
