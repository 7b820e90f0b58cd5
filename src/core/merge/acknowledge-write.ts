import type { Acknowledged } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";

/**
 * The acknowledgement after a write that the side confirmed. `written` and `stored` are shared
 * values; `stored` is what the side returned, or a read-back showed. A field that was not written
 * keeps what was acknowledged, so that an edit of it in between is seen as one. What a record was
 * marked with (`marks`) was heard and stands for nothing that is agreed: should the record live on,
 * the side has yet to be told.
 */
export function acknowledgeWrite(
  before: Acknowledged | undefined,
  written: Values,
  stored: Values,
  marks = false,
): Acknowledged {
  return {
    returned: written.map((value, index) =>
      value === undefined ? before?.returned[index] : stored[index],
    ),
    stoodFor: written.map((value, index) =>
      value === undefined ? before?.stoodFor[index] : marks ? undefined : value,
    ),
  };
}
