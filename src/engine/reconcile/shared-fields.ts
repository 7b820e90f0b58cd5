import type { SideMapping } from "../../core/mapping/field-mapping.ts";
import type { ReconcileSpec, SideSpec } from "../../core/mapping/reconcile-spec.ts";
import type { SharedField } from "../../model/reconcile.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { ValueType } from "../../model/value.ts";

/** The declared fields, or those that every side has; their types from the sides where not told. */
export function sharedFields(
  { fields, sides, name: sync }: ReconcileSpec,
  schemas: ReadonlyMap<string, StreamSchema>,
): readonly SharedField[] {
  const typesOf = (shared: string): readonly ValueType[] => {
    const found = sides.flatMap((side) => {
      const own = side.fieldOf(shared);
      return schemas.get(side.name)?.fields.find(({ name }) => name === own) ?? [];
    });
    const known = found.filter(({ takes }) => takes === undefined);
    // A type that was only told from values does not make one that is declared wider: a word among
    // the numbers of a workbook is one that does not fit.
    const isOfNumbers = known.every(({ type }) => isNumber(type));
    const counted = found.filter(
      ({ takes, type }) =>
        takes === undefined ||
        (isOfNumbers ? isNumber(type) : takes === "number" && type.kind === "text"),
    );
    return (known.length === 0 ? found : counted).map(({ type }) => type);
  };
  const declared =
    fields.length > 0 ? fields : commonNames(sides, schemas).map((name) => ({ name, compare: {} }));
  if (declared.length === 0) {
    throw new SyncError(
      "CONFIG_INVALID",
      `The sides of "${sync}" have no field of the same name; expected \`fields\` that name what they share.`,
    );
  }
  return declared.map((field) => {
    const type =
      "type" in field && field.type !== undefined ? field.type : joinTypes(typesOf(field.name));
    return { name: field.name, type, compare: field.compare };
  });
}

function commonNames(
  sides: readonly SideSpec[],
  schemas: ReadonlyMap<string, StreamSchema>,
): readonly string[] {
  const [first, ...others] = sides.map((side) => {
    const schema = schemas.get(side.name);
    const assigned = schema?.traits.write?.assignsKeys === true ? schema.key : [];
    return (schema?.fields ?? [])
      .map(({ name }) => name)
      .filter((name) => !assigned.includes(name) && name !== schema?.modifiedAt)
      .concat(side.mapped);
  });
  return [...new Set(first ?? [])].filter((name) => others.every((names) => names.includes(name)));
}

/** The type that all of these can be written as: numbers as decimals, anything else as text. */
function joinTypes(types: readonly ValueType[]): ValueType {
  const [first, ...others] = types;
  if (first === undefined) return { kind: "text" };
  if (others.every(({ kind }) => kind === first.kind)) {
    if (first.kind === "integer") return { kind: "integer", bits: 64 };
    if (first.kind === "decimal") return { kind: "decimal" };
    // An order that one of them does not keep cannot be shared.
    if (first.kind === "list") return { ...first, ordered: types.every(isOrdered) };
    return first.kind === "text" ? { kind: "text" } : first;
  }
  return types.every(isNumber) ? { kind: "decimal" } : { kind: "text" };
}

const isOrdered = (type: ValueType): boolean => type.kind === "list" && type.ordered;

const isNumber = ({ kind }: ValueType): boolean =>
  kind === "integer" || kind === "decimal" || kind === "double";

/**
 * The side's schema with the shared types where its own were only told from values and it takes
 * more: a column of whole prices takes 12.5 too, and one of digits "007". A mapping that changes
 * units or words says itself what it expects.
 */
export function withSharedTypes(
  schema: StreamSchema,
  { fields: mapped }: SideMapping,
  shared: readonly SharedField[],
): StreamSchema {
  const fields = schema.fields.map((field) => {
    const plain = mapped.find(
      ({ from, steps }) =>
        from.kind === "field" &&
        from.name === field.name &&
        steps.every(({ kind }) => kind === "trim" || kind === "case"),
    );
    const type = shared.find(({ name }) => name === plain?.shared)?.type;
    if (type === undefined || field.takes === undefined || type.kind === field.type.kind) {
      return field;
    }
    return field.takes === "text" || isNumber(type) ? { ...field, type } : field;
  });
  return { ...schema, fields };
}
