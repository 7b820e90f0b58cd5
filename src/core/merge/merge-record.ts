import type {
  Acknowledged,
  Conflict,
  FieldReason,
  Merged,
  MergeRules,
  SideRole,
  SideView,
  SideWrite,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { judgePresence } from "./judge-presence.ts";
import { type FieldMerge, mergeField, type Vote } from "./merge-field.ts";
import { sameValue } from "./same-value.ts";

const NOTHING_ACKNOWLEDGED: ReadonlyMap<string, Acknowledged> = new Map();

/**
 * Merges one record as all sides have it into one agreed record, and says what each side must be
 * told. `base` is the agreed record so far, absent when its sides meet for the first time. The
 * result does not depend on the order of `views`; it is total: it throws nothing.
 */
export function mergeRecord(
  rules: MergeRules,
  base: Values | undefined,
  views: readonly SideView[],
): Merged {
  const sorted = [...views].sort((a, b) => (a.side < b.side ? -1 : 1));
  const situation = judgePresence(rules, base, sorted);
  const untouched = {
    agreed: base ?? [],
    reasons: rules.fields.map((): FieldReason => ({ kind: "agreed" })),
    acknowledged: NOTHING_ACKNOWLEDGED,
  };
  switch (situation.kind) {
    case "held":
      return { ...untouched, record: { kind: "kept" }, writes: [] };
    case "ended":
      return { ...untouched, record: { kind: "ended" }, writes: [] };
    case "frozen":
      return { ...untouched, record: situation.record, writes: [] };
    case "delete":
      return {
        ...untouched,
        record: situation.record,
        writes: sorted.flatMap((view) => removal(rules, view)),
      };
    case "merge": {
      const merges = mergeFields(rules, base, situation.views);
      const agreed = merges.map(({ value }) => value);
      const settled = situation.views.flatMap((view) => {
        const role = rules.roles.find(({ side }) => side === view.side);
        return role === undefined ? [] : [settleSide({ rules, merges, agreed }, role, view)];
      });
      return {
        record: situation.record,
        agreed,
        reasons: merges.map(({ reason }) => reason),
        writes: settled.flatMap(({ write }) => (write === undefined ? [] : [write])),
        acknowledged: new Map(
          settled.flatMap(({ side, acknowledged }) =>
            acknowledged === undefined ? [] : [[side, acknowledged] as const],
          ),
        ),
      };
    }
  }
}

function mergeFields(
  rules: MergeRules,
  base: Values | undefined,
  views: readonly SideView[],
): readonly FieldMerge[] {
  const roleOf = new Map(rules.roles.map((role) => [role.side, role]));
  const records = (): Conflict["records"] => recordsByName(rules, views);
  return rules.fields.map((field, index) => {
    const readers = views.filter((view) => isRead(roleOf.get(view.side), index));
    const agreed = base?.[index];
    return mergeField({
      field,
      ...(agreed === undefined ? {} : { base: agreed }),
      votes: readers.flatMap((view) => vote(view, index)),
      holders: readers.flatMap((view) => holder(view, index)),
      policies: rules.policies[index] ?? [],
      records,
    });
  });
}

function vote(view: SideView, index: number): readonly Vote[] {
  const value = view.presence === "present" ? view.values[index] : undefined;
  if (value === undefined) return [];
  const at = view.fieldTimes?.[index] ?? view.modifiedAt;
  const time = at === undefined ? {} : { at };
  return [{ side: view.side, value, ...time, ...lastSaid(view, index) }];
}

function holder(view: SideView, index: number): readonly Vote[] {
  const said = lastSaid(view, index);
  return view.presence === "unknown" && said.returned !== undefined
    ? [{ side: view.side, value: said.returned, ...said }]
    : [];
}

function lastSaid(view: SideView, index: number): Pick<Vote, "returned" | "stoodFor"> {
  const returned = view.acknowledged?.returned[index];
  const stoodFor = view.acknowledged?.stoodFor[index];
  return {
    ...(returned === undefined ? {} : { returned }),
    ...(stoodFor === undefined ? {} : { stoodFor }),
  };
}

interface Outcome {
  readonly rules: MergeRules;
  readonly merges: readonly FieldMerge[];
  readonly agreed: Values;
}

interface Settled {
  readonly side: string;
  readonly write?: SideWrite;
  readonly acknowledged?: Acknowledged;
}

/** What one side must be told, and what it has acknowledged by what it says already. */
function settleSide(outcome: Outcome, role: SideRole, view: SideView): Settled {
  const { side } = view;
  const { agreed, merges, rules } = outcome;
  const belongs = role.accepts(agreed);
  if (view.presence === "never") {
    if (!belongs || !role.create) return { side };
    const values = merges.map(({ value, reason }, index) =>
      reason.kind !== "review" && isWritten(role, index) ? value : undefined,
    );
    if (values.every((value) => value === undefined || value === null)) return { side };
    return { side, write: { side, kind: "create", values } };
  }
  if (view.presence !== "present") return { side };
  if (!belongs) {
    const leaves = role.whenLeaving === "remove" ? removal(rules, view)[0] : undefined;
    const acknowledged = acknowledge(outcome, role, view, () => false);
    return leaves === undefined ? { side, acknowledged } : { side, acknowledged, write: leaves };
  }
  const mayWrite = (index: number): boolean => role.update && isWritten(role, index);
  const values = merges.map(({ value, reason }, index) => {
    if (reason.kind === "review" || value === undefined || !mayWrite(index)) return undefined;
    return holds(outcome, view, index) ? undefined : value;
  });
  const acknowledged = acknowledge(outcome, role, view, (index) => values[index] !== undefined);
  return values.some((value) => value !== undefined)
    ? { side, acknowledged, write: { side, kind: "update", values } }
    : { side, acknowledged };
}

/**
 * True when what the side has stands for the agreed value: it says it, or it is what the side
 * answered when it was told this very value (a sheet that rounds, a CRM that trims). A value that
 * was not read is not known, and is left alone.
 */
function holds({ rules, agreed }: Outcome, view: SideView, index: number): boolean {
  const field = rules.fields[index];
  const value = view.values[index];
  const wanted = agreed[index];
  if (field === undefined || value === undefined || wanted === undefined) return true;
  if (sameValue(field, value, wanted)) return true;
  const returned = view.acknowledged?.returned[index];
  const stoodFor = view.acknowledged?.stoodFor[index];
  if (returned === undefined || stoodFor === undefined) return false;
  return sameValue(field, value, returned) && sameValue(field, stoodFor, wanted);
}

/**
 * The side's acknowledgement as it stands without a write. A field in review, one that was not
 * read and one that is to be written keep what was acknowledged before. A side that may not be
 * written has been heard: its value is taken note of, and does not count as a change again.
 */
function acknowledge(
  { merges, agreed }: Outcome,
  role: SideRole,
  view: SideView,
  isToWrite: (index: number) => boolean,
): Acknowledged {
  const before = view.acknowledged;
  const returned: (Value | undefined)[] = [];
  const stoodFor: (Value | undefined)[] = [];
  merges.forEach(({ reason }, index) => {
    const value = view.values[index];
    const keeps = reason.kind === "review" || value === undefined || isToWrite(index);
    const isMapped = role.directions[index] !== "none";
    returned.push(!isMapped ? undefined : keeps ? before?.returned[index] : value);
    stoodFor.push(!isMapped ? undefined : keeps ? before?.stoodFor[index] : agreed[index]);
  });
  return { returned, stoodFor };
}

function removal(rules: MergeRules, view: SideView): readonly SideWrite[] {
  const role = rules.roles.find(({ side }) => side === view.side);
  if (view.presence !== "present" || role === undefined || role.remove === "never") return [];
  if (role.remove === "delete") return [{ side: view.side, kind: "delete" }];
  const { mark } = role.remove;
  const values = rules.fields.map((field, index) => {
    const wanted = mark[index];
    const value = view.values[index];
    if (wanted === undefined) return undefined;
    return value !== undefined && sameValue(field, value, wanted) ? undefined : wanted;
  });
  return values.some((value) => value !== undefined)
    ? [{ side: view.side, kind: "update", values }]
    : [];
}

function recordsByName(rules: MergeRules, views: readonly SideView[]): Conflict["records"] {
  return Object.fromEntries(
    views
      .filter((view) => view.presence === "present")
      .map((view) => [
        view.side,
        Object.fromEntries(
          rules.fields.flatMap((field, index) => {
            const value = view.values[index];
            return value === undefined ? [] : [[field.name, value] as const];
          }),
        ),
      ]),
  );
}

function isRead(role: SideRole | undefined, index: number): boolean {
  const direction = role?.directions[index];
  return direction === "read" || direction === "both";
}

function isWritten(role: SideRole, index: number): boolean {
  const direction = role.directions[index];
  return direction === "write" || direction === "both";
}
