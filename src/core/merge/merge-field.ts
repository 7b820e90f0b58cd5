import type {
  Candidate,
  Conflict,
  FieldReason,
  PolicyChain,
  SharedField,
} from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import { comparedForm, sameValue } from "./same-value.ts";

/**
 * What one side says of a field. `returned` is what it last said (absent: it is heard first now),
 * and `stoodFor` the agreed value it said that for.
 */
export interface Vote extends Candidate {
  readonly returned?: Value;
  readonly stoodFor?: Value;
}

/** One field of one record, as all sides that know it tell it; the votes are sorted by side. */
export interface FieldCase {
  readonly field: SharedField;
  /** The last agreed value; absent: nothing was ever agreed. */
  readonly base?: Value;
  readonly votes: readonly Vote[];
  /** Sides not heard now, with what they last said. */
  readonly holders: readonly Vote[];
  readonly policies: PolicyChain;
  /** Asked only when there is a conflict. */
  readonly records: () => Conflict["records"];
}

export interface FieldMerge {
  /** Absent: nothing is agreed. */
  readonly value?: Value;
  readonly reason: FieldReason;
}

/**
 * The heart: which value a field has from now on.
 *
 * | who moved away from what it last said itself  | result                                    |
 * |-----------------------------------------------|-------------------------------------------|
 * | nobody                                        | the base stays                            |
 * | some, all to the same value                   | that value                                |
 * | some, to different values                     | conflict among those                      |
 * | a side heard first says something else, or one | conflict between it and those who hold   |
 * | moved that had not been told the base yet      | the base                                 |
 * | nothing was ever agreed: all say the same     | that value                                |
 * | nothing was ever agreed: they differ          | conflict among all                        |
 *
 * A side heard for the first time that has null says nothing: an empty field must not empty the
 * others. A conflict goes to the policies in turn, and waits for review when none decides.
 */
export function mergeField(fieldCase: FieldCase): FieldMerge {
  const { field, base, votes } = fieldCase;
  if (base === undefined) return firstMeeting(fieldCase);
  const changed = votes.filter(
    (vote) => vote.returned !== undefined && !sameValue(field, vote.value, vote.returned),
  );
  const differing = votes.filter(
    (vote) =>
      vote.returned === undefined &&
      comparedForm(field, vote.value) !== null &&
      !sameValue(field, vote.value, base),
  );
  const movers = [...changed, ...differing].sort(bySide);
  if (movers.length === 0) return { value: base, reason: { kind: "agreed" } };
  const isInformed = changed.length > 0 && changed.every((vote) => isUpToDate(field, base, vote));
  if (isInformed) return settle(fieldCase, movers, "changed");
  const candidates = [...movers, ...baseHolders(fieldCase, base)].sort(bySide);
  return settle(fieldCase, candidates, changed.length > 0 ? "changed" : "joined");
}

/** A side that was told of the base: what it says since then, it says knowing the base. */
function isUpToDate(field: SharedField, base: Value, { stoodFor }: Vote): boolean {
  return stoodFor !== undefined && sameValue(field, stoodFor, base);
}

function firstMeeting(fieldCase: FieldCase): FieldMerge {
  const { field, votes } = fieldCase;
  const filled = votes.filter((vote) => comparedForm(field, vote.value) !== null);
  const candidates = filled.length > 0 ? filled : votes;
  if (candidates.length === 0) return { reason: { kind: "agreed" } };
  return settle(fieldCase, candidates, "joined");
}

/** Those who stand by what they said: the base speaks through them against a side that joins. */
function baseHolders({ votes, holders, field }: FieldCase, base: Value): readonly Candidate[] {
  const unmoved = votes.filter(
    (vote) => vote.returned !== undefined && sameValue(field, vote.value, vote.returned),
  );
  return [...unmoved, ...holders].filter((vote) => isUpToDate(field, base, vote));
}

function settle(
  fieldCase: FieldCase,
  candidates: readonly Candidate[],
  kind: "changed" | "joined",
): FieldMerge {
  const { field, base, records } = fieldCase;
  const forms = new Set(candidates.map(({ value }) => JSON.stringify(comparedForm(field, value))));
  if (forms.size === 1) {
    const value = agreedSpelling(candidates);
    return { value, reason: { kind, by: candidates.map(({ side }) => side) } };
  }
  const asked = candidates.map(plainCandidate);
  const conflict: Conflict = {
    field,
    candidates: asked,
    records: records(),
    ...(base === undefined ? {} : { base }),
  };
  return decide(fieldCase, conflict);
}

function decide({ policies, base }: FieldCase, conflict: Conflict): FieldMerge {
  const { candidates } = conflict;
  let why = "no policy decides it";
  for (const policy of policies) {
    const answer = policy.decide(conflict);
    if (answer === undefined) continue;
    if (answer.kind === "review") {
      why = answer.why;
      break;
    }
    const beat = candidates.filter(({ value }) => !sameValue(conflict.field, value, answer.value));
    const { from } = answer;
    const reason: FieldReason = {
      kind: "decided",
      policy: policy.name,
      why: answer.why,
      beat,
      ...(from === undefined ? {} : { from }),
    };
    return { value: answer.value, reason };
  }
  const review: FieldReason = { kind: "review", why, candidates };
  return base === undefined ? { reason: review } : { value: base, reason: { ...review, base } };
}

/** Sides may spell one value in several ways; which is kept must not depend on their order. */
function agreedSpelling(candidates: readonly Candidate[]): Value {
  const texts = candidates.map(({ value }) => [JSON.stringify(value), value] as const);
  texts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return texts[0]?.[1] ?? null;
}

function plainCandidate({ side, value, at }: Candidate): Candidate {
  return at === undefined ? { side, value } : { side, value, at };
}

function bySide(a: Candidate, b: Candidate): number {
  return a.side < b.side ? -1 : a.side > b.side ? 1 : 0;
}
