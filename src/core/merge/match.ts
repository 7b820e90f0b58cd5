import type { SharedField } from "../../model/reconcile.ts";
import type { RecordKey, Values } from "../../model/record.ts";
import { comparedForm, isBlank } from "../same-value.ts";

/** A record of a side, by the key that it has there. */
export interface Member {
  readonly side: string;
  readonly key: RecordKey;
}

/** What the records of one match form are to each other, before anything is linked. */
export type Match =
  | { readonly kind: "matched"; readonly members: readonly Member[] }
  | { readonly kind: "only-here"; readonly member: Member }
  /** More than one record on one of `sides`: none of them is linked. */
  | {
      readonly kind: "ambiguous";
      readonly members: readonly Member[];
      readonly sides: readonly string[];
    };

/**
 * The text by which a record is matched: its match fields as they are compared. Absent when one of
 * them is absent or blank: records that lack a value have nothing in common by that.
 */
export function matchForm(
  fields: readonly SharedField[],
  matchBy: readonly string[],
  values: Values,
): string | undefined {
  const forms = [];
  for (const name of matchBy) {
    const index = fields.findIndex((field) => field.name === name);
    const field = fields[index];
    const value = values[index];
    if (field === undefined || value === undefined || isBlank(field, value)) return undefined;
    forms.push(comparedForm(field, value));
  }
  return forms.length === 0 ? undefined : JSON.stringify(forms);
}

/** Judges one group: all records, of all sides, that have one match form. Never empty. */
export function judgeGroup(members: readonly Member[]): Match {
  const sorted = [...members].sort(byMember);
  const [only] = sorted;
  if (only !== undefined && sorted.length === 1) return { kind: "only-here", member: only };
  const twice = sorted.filter((member, index) => sorted[index - 1]?.side === member.side);
  if (twice.length === 0) return { kind: "matched", members: sorted };
  const sides = [...new Set(twice.map(({ side }) => side))];
  return { kind: "ambiguous", members: sorted, sides };
}

/** A member with its match form; absent: it can match nothing. */
export interface FormedMember extends Member {
  readonly form?: string;
}

/**
 * The matches of a whole first sync, one group in memory at a time. Members come sorted by form;
 * those without one stand alone.
 */
export function* matchSorted(members: Iterable<FormedMember>): Generator<Match> {
  let form: string | undefined;
  let group: Member[] = [];
  for (const { side, key, form: own } of members) {
    if (own === undefined) {
      yield { kind: "only-here", member: { side, key } };
      continue;
    }
    if (own !== form && group.length > 0) {
      yield judgeGroup(group);
      group = [];
    }
    form = own;
    group.push({ side, key });
  }
  if (group.length > 0) yield judgeGroup(group);
}

function byMember(a: Member, b: Member): number {
  if (a.side !== b.side) return a.side < b.side ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
