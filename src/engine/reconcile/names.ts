import type { ReconcileSpec } from "../../core/mapping/reconcile-spec.ts";
import { type ComparedField, comparedForm, isBlank } from "../../core/same-value.ts";
import type { MergeRules, SharedField } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { valuesToText } from "../../model/stored-plan.ts";
import { hashText } from "../replicate/hash.ts";
import type { ReconcileContext, SideContext } from "./context.ts";

/**
 * The text by which records of several sides are the same one: the match fields' values as they
 * are compared. Absent where one of them is blank or was not read.
 */
export function matchName(
  rules: MergeRules,
  match: readonly number[],
  shared: Values,
): string | undefined {
  const parts: string[] = [];
  for (const index of match) {
    const field = rules.fields[index];
    const value = shared[index];
    if (field === undefined || value === undefined) return undefined;
    if (isBlank(field, value)) return undefined;
    const form = comparedForm(field, value);
    parts.push(typeof form === "string" ? form : JSON.stringify(form));
  }
  return parts.length === 1 ? parts[0] : JSON.stringify(parts);
}

/**
 * The names that a person may mean by a text: that itself, or what the match fields make of it, as
 * `matchName` does. Values of several fields are a JSON array, in which numbers may stand as such.
 */
export function meantNames(matched: readonly ComparedField[], text: string): readonly string[] {
  const parts = matched.length === 1 ? [text] : partsOf(text);
  if (parts.length !== matched.length) return [text];
  const forms = matched.map((field, index) => comparedForm(field, parts[index] ?? ""));
  const texts = forms.map((form) => (typeof form === "string" ? form : JSON.stringify(form)));
  const name = texts.length === 1 ? texts[0] : JSON.stringify(texts);
  return name === undefined || name === text ? [text] : [text, name];
}

function partsOf(text: string): readonly string[] {
  try {
    const parts: unknown = JSON.parse(text);
    return Array.isArray(parts) ? parts.map(String) : [];
  } catch {
    return [];
  }
}

/** The match fields, as far as they are known before the sides are reached. */
export function matchedFields({
  match,
  fields,
}: Pick<ReconcileSpec, "match" | "fields">): readonly ComparedField[] {
  return match.map((name) => {
    const declared = fields.find((field) => field.name === name);
    return { type: declared?.type ?? { kind: "text" }, compare: declared?.compare ?? {} };
  });
}

/** The name of one of a side's own records. */
export function nameOf(
  { rules, match }: ReconcileContext,
  { mapping }: SideContext,
  values: Values,
): string | undefined {
  return matchName(rules, match, mapping.toShared(values).values);
}

/**
 * The seed of a side's digests: another one wherever a record that stayed as it is may have other
 * shared values or another place in the filter, or another opinion may be had of what is equal, so
 * that digests from before it match nothing.
 */
export function digestSeed(
  mapping: string,
  filter: string,
  fields: readonly SharedField[],
  { key, fields: own, traits }: StreamSchema,
): number {
  const text = JSON.stringify([2, mapping, filter, fields, key, own, traits.digests]);
  return Buffer.from(hashText(text), "base64url").readUIntBE(0, 6);
}

/** Fingerprint of shared values; absent and null have different ones. */
export function hashShared(shared: Values): string {
  return hashText(valuesToText(shared));
}
