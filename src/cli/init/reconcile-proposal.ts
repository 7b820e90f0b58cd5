import { type FieldProposal, proposeFields } from "../../core/propose-fields.ts";
import { type KeyProposal, proposeKey } from "../../core/propose-key.ts";
import type { ReadSample } from "../../engine/reconcile/sample-side.ts";
import type { ValueType } from "../../model/value.ts";
import { usage } from "../arguments.ts";

/** One side that a configuration is written for. */
export interface SampledSide {
  readonly name: string;
  readonly system: string;
  readonly stream: string;
  readonly sample: ReadSample;
}

/** The first side beside one of the others. */
export interface PairProposal {
  readonly side: SampledSide;
  readonly key: KeyProposal;
  readonly fields: readonly FieldProposal[];
}

/** A field that the sides share; its name is the first side's. */
export interface ProposedField {
  readonly name: string;
  readonly type: string;
  readonly trim: boolean;
  readonly ignoreCase: boolean;
}

/** What `init reconcile` found out, and writes down. */
export interface ReconcileProposal {
  readonly first: SampledSide;
  readonly others: readonly PairProposal[];
  /** The shared fields that records are matched by. */
  readonly match: readonly string[];
  readonly fields: readonly ProposedField[];
  /** Fields of each side that are not shared. */
  readonly leftOut: readonly { readonly side: string; readonly fields: readonly string[] }[];
}

/** Proposes by what all sides hold; the first is the one whose names are used. Throws USAGE. */
export function proposeReconcile(sides: readonly SampledSide[]): ReconcileProposal {
  const [first, second, ...more] = sides;
  if (first === undefined || second === undefined) throw usage("Name two sides or more.");
  const key = keyOf(first, second);
  const match = key.pairs.map(({ left }) => left);
  const others = [second, ...more].map((side): PairProposal => {
    const found = side === second ? key : keyOf(first, side, match);
    return { side, key: found, fields: proposeFields(first.sample, side.sample, found.pairs) };
  });
  const names = first.sample.fields
    .map(({ name }) => name)
    .filter(
      (name) =>
        match.includes(name) ||
        others.some(({ fields }) => fields.some((one) => one.left === name)),
    );
  const used = (side: SampledSide): readonly string[] =>
    side === first
      ? names
      : others.flatMap((pair) =>
          pair.side === side ? [...pair.key.pairs, ...pair.fields].map(({ right }) => right) : [],
        );
  return {
    first,
    others,
    match,
    fields: names.map((name) => proposedField(first, others, name)),
    leftOut: sides.map((side) => ({
      side: side.name,
      fields: side.sample.fields
        .map(({ name }) => name)
        .filter((name) => !used(side).includes(name)),
    })),
  };
}

function keyOf(first: SampledSide, other: SampledSide, named?: readonly string[]): KeyProposal {
  const found = proposeKey(first.sample, other.sample, named);
  if (found !== undefined) return found;
  const columns = (side: SampledSide): string =>
    `${side.name}: ${side.sample.fields.map(({ name }) => name).join(", ")}`;
  throw usage(
    `No field of "${first.name}" and "${other.name}" tells the records of both apart by the same values; ${columns(first)}; ${columns(other)}.`,
    "Both need one, such as an article number. Correct the data, or write the configuration by hand (docs/reconcile.md).",
  );
}

function proposedField(
  first: SampledSide,
  others: readonly PairProposal[],
  name: string,
): ProposedField {
  const pairs = others.flatMap(({ fields }) => fields.filter(({ left }) => left === name));
  const found = [
    first.sample.fields.find((field) => field.name === name),
    ...others.map(({ side, fields, key }) => {
      const own = [...key.pairs, ...fields].find(({ left }) => left === name)?.right;
      return side.sample.fields.find((field) => field.name === own);
    }),
  ].flatMap((field) => field ?? []);
  const known = found.filter(({ takes }) => takes === undefined);
  const counted = known.length === 0 ? found : known;
  return {
    name,
    type: joined(
      (pairs.some(({ scale }) => scale !== undefined) ? found : counted).map(({ type }) => type),
    ),
    trim: pairs.some(({ trim }) => trim),
    ignoreCase: pairs.some(({ ignoreCase }) => ignoreCase),
  };
}

const NUMBERS: ReadonlySet<string> = new Set(["integer", "decimal", "double"]);

/** The configuration's word for the type that all of these can be written as. */
function joined(types: readonly ValueType[]): string {
  const words = [...new Set(types.map(wordOf))];
  if (words.length === 1) return words[0] ?? "text";
  return words.every((word) => NUMBERS.has(word)) ? "decimal" : "text";
}

function wordOf(type: ValueType): string {
  if (type.kind === "list") return type.ordered ? "list" : "set";
  return type.kind === "binary" ? "text" : type.kind;
}
