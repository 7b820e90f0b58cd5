import { sameValue } from "../../core/same-value.ts";
import type { Acknowledged, SharedField } from "../../model/reconcile.ts";
import type { StreamRecord, Values } from "../../model/record.ts";
import { valuesToText } from "../../model/stored-plan.ts";

/**
 * The digest of a record, to be kept with what its side was heard to say; none unless that is all
 * that the record says. Kept with anything else it would hide a value that nobody took in.
 */
export function heardDigest(
  { digest }: StreamRecord,
  values: Values,
  { returned }: Acknowledged,
): { readonly digest?: number } {
  if (digest === undefined || valuesToText(values) !== valuesToText(returned)) return {};
  return { digest };
}

/** True when a side that said these values has what is agreed, field by field. */
export function isAgreed(fields: readonly SharedField[], agreed: Values, said: Values): boolean {
  return fields.every((field, index) => {
    const [wanted, value] = [agreed[index], said[index]];
    return wanted === undefined || value === undefined || sameValue(field, wanted, value);
  });
}
