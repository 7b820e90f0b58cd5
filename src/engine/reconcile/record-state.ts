import type { PlannedRecord } from "../../model/plan.ts";
import type { RecordReason } from "../../model/reconcile.ts";
import type { OpenQuestion } from "../../ports/settlement.ts";

/** True when the record goes everywhere, by a deletion or since no side has it any more. */
export function isRemoval({ kind }: RecordReason): boolean {
  return kind === "deleted" || kind === "delete-beat-edit" || kind === "ended";
}

/** True when something of the record is left for a person to decide. */
export function isInReview({
  reasons,
  record,
}: Pick<PlannedRecord, "reasons" | "record">): boolean {
  return record.kind === "delete-review" || reasons.some(({ kind }) => kind === "review");
}

/** What a person is asked about a planned record; `names` are those of the shared fields. */
export function questionsOf(
  names: readonly string[],
  { reasons, record, decisions = [] }: PlannedRecord,
): readonly OpenQuestion[] {
  const inSpiteOf = (field?: string): Pick<OpenQuestion, "inSpiteOf"> => {
    const decided = decisions.find((one) => one.field === field)?.resolution;
    return decided === undefined ? {} : { inSpiteOf: decided };
  };
  const fields = reasons.flatMap((reason, index): OpenQuestion[] => {
    const field = names[index];
    if (reason.kind !== "review" || field === undefined) return [];
    const { why, base, candidates } = reason;
    const asked = { field, why, candidates, ...inSpiteOf(field) };
    return [base === undefined ? asked : { ...asked, base }];
  });
  if (record.kind !== "delete-review") return fields;
  const why = `${record.edited.join(" and ")} edited what ${record.deleted.join(" and ")} deleted`;
  return [...fields, { why, candidates: record.candidates ?? [], ...inSpiteOf() }];
}
