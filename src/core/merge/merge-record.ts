import type {
  Acknowledged,
  Conflict,
  FieldReason,
  Merged,
  MergeRules,
  SideView,
  SideWrite,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { judgePresence } from "./judge-presence.ts";
import { type FieldMerge, mergeField, type Vote } from "./merge-field.ts";
import { removal, type Settled, settleSide } from "./settle-side.ts";
import { isRead, roleOf } from "./side-role.ts";

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
    forgotten: [],
    waiting: [],
    agreed: base ?? [],
    reasons: rules.fields.map((): FieldReason => ({ kind: "agreed" })),
    acknowledged: NOTHING_ACKNOWLEDGED,
  };
  switch (situation.kind) {
    case "held":
      return { ...untouched, record: { kind: "kept" }, writes: [], isHeld: true };
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
      const outcome = { rules, merges, agreed, isFirst: base === undefined };
      const all = situation.views.flatMap((view) => {
        const role = roleOf(rules, view.side);
        return role === undefined ? [] : [settleSide(outcome, role, view)];
      });
      const waiting = onlyCopies(situation.views, all);
      const settled = all.map((one) => (waiting.includes(one.side) ? unwritten(one) : one));
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
        forgotten: sorted
          .filter(({ side, presence }) => presence === "gone" && isLiving(situation.views, side))
          .map(({ side }) => side),
        waiting,
      };
    }
  }
}

/**
 * Sides that are to lose the record while those that are to have it have yet to be given it. None
 * of them may be: each is written for itself, and refuses, or is away. What left before would stand
 * nowhere then, and be taken for gone.
 */
function onlyCopies(views: readonly SideView[], settled: readonly Settled[]): readonly string[] {
  if (!settled.some(({ write }) => write?.kind === "create")) return [];
  const present = views.filter(({ presence }) => presence === "present");
  const leaving = settled.flatMap(({ side, write }) => (takesAway(write) ? [side] : []));
  return present.every(({ side }) => leaving.includes(side)) ? leaving : [];
}

function takesAway(write: SideWrite | undefined): boolean {
  return write?.kind === "delete" || (write?.kind === "update" && write.marks === true);
}

function unwritten({ write: _, ...settled }: Settled): Settled {
  return settled;
}

function mergeFields(
  rules: MergeRules,
  base: Values | undefined,
  views: readonly SideView[],
): readonly FieldMerge[] {
  const records = (): Conflict["records"] => recordsByName(rules, views);
  return rules.fields.map((field, index) => {
    const readers = views.filter((view) => isRead(rules, view.side, index));
    const agreed = base?.[index];
    return mergeField({
      field,
      ...(agreed === undefined ? {} : { base: agreed }),
      votes: readers.flatMap((view) => vote(view, index)),
      policies: rules.policies[index] ?? [],
      records,
    });
  });
}

/** A side that is not heard now stands by what it said last. */
function vote(view: SideView, index: number): readonly Vote[] {
  const { side, presence, acknowledged } = view;
  const returned = acknowledged?.returned[index];
  const stoodFor = acknowledged?.stoodFor[index];
  const value = presence === "unknown" ? returned : view.values[index];
  if (value === undefined) return [];
  const at = view.modifiedAt;
  return [
    {
      side,
      value,
      ...(at === undefined ? {} : { at }),
      ...(returned === undefined ? {} : { returned }),
      ...(stoodFor === undefined ? {} : { stoodFor }),
    },
  ];
}

function isLiving(views: readonly SideView[], side: string): boolean {
  return views.some((view) => view.side === side);
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
