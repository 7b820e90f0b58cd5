import { comparedForm, isBlank } from "../../core/same-value.ts";
import type { MergeRules, SharedField } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { valuesToText } from "../../model/stored-plan.ts";
import { hashText } from "../replicate/hash.ts";

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
 * The seed of a side's digests: another one wherever a record that stayed as it is may have other
 * shared values, or another opinion may be had of what is equal, so that digests from before it
 * match nothing.
 */
export function digestSeed(
  mapping: string,
  fields: readonly SharedField[],
  { key, fields: own, traits }: StreamSchema,
): number {
  const text = JSON.stringify([1, mapping, fields, key, own, traits.digests]);
  return Buffer.from(hashText(text), "base64url").readUIntBE(0, 6);
}

/** Fingerprint of shared values; absent and null have different ones. */
export function hashShared(shared: Values): string {
  return hashText(valuesToText(shared));
}
