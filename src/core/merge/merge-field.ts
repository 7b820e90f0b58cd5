import type {
  Candidate,
  Conflict,
  FieldReason,
  PolicyChain,
  SharedField,
} from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import { askChain } from "../ask-chain.ts";
import { comparedForm, sameValue } from "../same-value.ts";

/** What one side says of a field, or said last when it is not heard now. */
export interface Vote extends Candidate {
  /** What it last said; absent: it is heard for the first time. */
  readonly returned?: Value;
  /** The agreed value that `returned` stood for; absent: it was told of none. */
  readonly stoodFor?: Value;
}

/** One field of one record, as all sides that know it tell it; the votes are sorted by side. */
export interface FieldCase {
  readonly field: SharedField;
  /** The last agreed value; absent: nothing was ever agreed. */
  readonly base?: Value;
  readonly votes: readonly Vote[];
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
 * The heart: which value a field has from now on. A side has *moved* when it says something else
 * than it said last. It *knew* the base when what it said last stood for it; a side that was not
 * told yet, or is heard for the first time, did not.
 *
 * | who says something new                        | result                                    |
 * |-----------------------------------------------|-------------------------------------------|
 * | nobody                                        | the base stays                            |
 * | some who knew the base, all the same          | that value                                |
 * | some who knew the base, and others            | conflict among all of these               |
 * | only some who did not know the base           | conflict between these and those who hold |
 * |                                               | the base                                  |
 * | nothing was ever agreed: all say the same     | that value                                |
 * | nothing was ever agreed: they differ          | conflict among all                        |
 *
 * A side heard for the first time that has null says nothing: an empty field must not empty the
 * others. A conflict goes to the policies in turn, and waits for review when none decides.
 */
export function mergeField(fieldCase: FieldCase): FieldMerge {
  const { field, base, votes } = fieldCase;
  if (base === undefined) return firstMeeting(fieldCase);
  const isMoved = ({ value, returned }: Vote): boolean =>
    returned !== undefined && !sameValue(field, value, returned);
  const knew = ({ stoodFor }: Vote): boolean =>
    stoodFor !== undefined && sameValue(field, stoodFor, base);
  const speaksFirst = ({ value, returned }: Vote): boolean =>
    returned === undefined && comparedForm(field, value) !== null;

  const informed = votes.filter((vote) => isMoved(vote) && knew(vote));
  const uninformed = votes.filter(
    (vote) =>
      ((isMoved(vote) && !knew(vote)) || speaksFirst(vote)) && !sameValue(field, vote.value, base),
  );
  if (informed.length > 0) {
    return settle(fieldCase, votes.filter(isAmong(informed, uninformed)), "changed");
  }
  if (uninformed.length === 0) return { value: base, reason: { kind: "agreed" } };
  // None moved on from the base knowingly, so it still stands, through those who hold it. A side
  // that was not told yet speaks for it only where no other can, and no time of its own counts.
  const others = votes.filter((vote) => {
    if (uninformed.includes(vote)) return false;
    return vote.returned !== undefined || sameValue(field, vote.value, base);
  });
  const holding = others.filter((vote) => knew(vote) || sameValue(field, vote.value, base));
  const holders = holding.length > 0 ? holding : others;
  const candidates = votes.filter(isAmong(uninformed, holders)).map((vote): Candidate => {
    if (uninformed.includes(vote)) return vote;
    const { side, at } = vote;
    const isTimed = at !== undefined && holding.includes(vote);
    return isTimed ? { side, value: base, at } : { side, value: base };
  });
  return settle(fieldCase, candidates, uninformed.some(isMoved) ? "changed" : "joined");
}

function isAmong(...groups: readonly (readonly Vote[])[]): (vote: Vote) => boolean {
  return (vote) => groups.some((group) => group.includes(vote));
}

function firstMeeting(fieldCase: FieldCase): FieldMerge {
  const { field } = fieldCase;
  // What a side was heard to say before the record was let go (its mark) is no word on the new one.
  const fresh = fieldCase.votes.filter(({ value, returned }) => {
    return returned === undefined || !sameValue(field, value, returned);
  });
  const votes = fresh.length > 0 ? fresh : fieldCase.votes;
  const filled = votes.filter((vote) => comparedForm(field, vote.value) !== null);
  const candidates = filled.length > 0 ? filled : votes;
  if (candidates.length === 0) return { reason: { kind: "agreed" } };
  return settle(fieldCase, candidates, "joined");
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
  const { field, candidates } = conflict;
  const asked = askChain(policies, conflict);
  if (asked === undefined || asked.answer.kind === "review") {
    const why = asked?.answer.why ?? "no policy decides it";
    const review: FieldReason = { kind: "review", why, candidates };
    return base === undefined ? { reason: review } : { value: base, reason: { ...review, base } };
  }
  const { value, why, from } = asked.answer;
  const reason: FieldReason = {
    kind: "decided",
    policy: asked.policy,
    why,
    beat: candidates.filter((candidate) => !sameValue(field, candidate.value, value)),
    ...(from === undefined ? {} : { from }),
  };
  return { value, reason };
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
