import { placesOf } from "../../core/field-places.ts";
import type { ComparedField } from "../../core/same-value.ts";
import type { JournaledOperation, LinkId, OpenConflict, PlannedRecord } from "../../model/plan.ts";
import type { FieldReason, RecordReason } from "../../model/reconcile.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext } from "./context.ts";
import { meantNames } from "./names.ts";

const DECISIONS_AT_MOST = 1000;
const WRITES_AT_MOST = 100;

/** Where a value comes from: the newest decision that made it what it is. */
export interface Provenance {
  readonly runId: string;
  readonly at: number;
  readonly before?: Value;
  readonly after?: Value;
  readonly reason: FieldReason;
  readonly record: RecordReason;
}

/** Why one field of one shared record has its value, and what every side has. */
export interface FieldExplanation {
  readonly field: string;
  readonly agreed?: Value;
  readonly sides: readonly {
    readonly side: string;
    readonly key: RecordKey;
    /** What the side last said; absent where it never did. */
    readonly value?: Value;
    /** It has not been told the agreed value yet. */
    readonly isBehind: boolean;
    /** It gives the agreed value back in its own way, such as rounded. */
    readonly isLossy: boolean;
  }[];
  /** Newest first; every decision that changed the field. */
  readonly history: readonly Provenance[];
  /** The writes of this field, newest first. */
  readonly writes: readonly JournaledOperation[];
  readonly conflict?: OpenConflict;
}

export interface Explanation {
  readonly link: LinkId;
  readonly name: string;
  /** The record is no more; `agreed` of its fields is what was agreed last. Absent while it lives. */
  readonly ended?: { readonly runId: string; readonly at: number; readonly record: RecordReason };
  /** Whether it lives is asked: until that is decided nothing that its sides say is taken in. */
  readonly conflict?: OpenConflict;
  readonly fields: readonly FieldExplanation[];
}

/**
 * Explains a record's fields (one, or all). The record is named by its match value or by a side's
 * key, as `side:key`. Throws RECORD_UNKNOWN, and FIELD_UNKNOWN with the fields there are.
 */
export async function explainRecord(
  context: ReconcileContext,
  name: string,
  field?: string,
): Promise<Explanation> {
  const { home, sync, rules, match } = context;
  const matched = match.flatMap((index) => rules.fields[index] ?? []);
  const link = await findRecord({ ...context, matched }, name);
  const places = placesOf(rules.fields);
  const names = places.filter((one) => one !== null);
  if (field !== undefined && !names.includes(field)) {
    throw new SyncError("FIELD_UNKNOWN", `The records of "${sync}" have no field "${field}".`, {
      hint: `Its fields: ${names.join(", ")}.`,
    });
  }
  const decisions = await home.decisions(sync, link.link, DECISIONS_AT_MOST);
  const ended = link.isEnded === true ? decisions[0] : undefined;
  const journal = await home.journal({ sync, link: link.link, limit: WRITES_AT_MOST });
  const conflicts = await home.conflicts({ sync, link: [link.link] });
  const wanted = field === undefined ? names : [field];
  const life = conflicts.find((open) => open.field === undefined);
  return {
    link: link.link,
    name: link.name,
    ...(ended === undefined
      ? {}
      : { ended: { runId: ended.runId, at: ended.at, record: ended.record.record } }),
    ...(life === undefined ? {} : { conflict: life }),
    fields: wanted.map((one) => {
      const index = places.indexOf(one);
      const conflict = conflicts.find((open) => open.field === one);
      const agreed = (ended?.record ?? link).agreed[index];
      return {
        field: one,
        ...(agreed === undefined ? {} : { agreed }),
        sides: sidesOf(link, index, conflict),
        history: decisions.flatMap((decision) => provenance(decision, index)),
        writes: journal.filter((operation) =>
          operation.fields.some(({ shared }) => shared === index),
        ),
        ...(conflict === undefined ? {} : { conflict }),
      };
    }),
  };
}

/** The records of the first of these names that any has. */
export async function linksNamed(
  home: Pick<ReconcileContext["home"], "findLinks">,
  sync: string,
  names: readonly string[],
): Promise<readonly StoredLink[]> {
  for (const name of names) {
    const found = await home.findLinks(sync, { name });
    if (found.length > 0) return found;
  }
  return [];
}

/** A shared record; `isEnded`: only the journal knows of it. */
export interface FoundRecord extends StoredLink {
  readonly isEnded?: true;
}

/**
 * The shared record of that name, which lives or had it when it was last written to. Throws
 * RECORD_UNKNOWN, and USAGE where several have it.
 */
export async function findRecord(
  {
    home,
    sync,
    sides,
    matched,
  }: Pick<ReconcileContext, "home" | "sync"> & {
    readonly sides: readonly { readonly name: string }[];
    /** What records are matched by. */
    readonly matched: readonly ComparedField[];
  },
  name: string,
): Promise<FoundRecord> {
  const named = await linksNamed(home, sync, meantNames(matched, name));
  const colon = name.indexOf(":");
  const side = colon < 0 ? undefined : sides.find((one) => one.name === name.slice(0, colon));
  const keyed =
    named.length > 0 || side === undefined
      ? named
      : await home.findLinks(sync, {
          side: side.name,
          key: name.slice(colon + 1) as RecordKey,
        });
  const [link, another] = keyed;
  const written = link ?? (await lastWritten(home, sync, meantNames(matched, name)));
  if (written === undefined) {
    throw new SyncError(
      "RECORD_UNKNOWN",
      `"${sync}" has no record "${name}" that its sides share.`,
      {
        hint: `Name it by its match fields, or by a side's key as SIDE:KEY (sides: ${sides.map((one) => one.name).join(", ")}).`,
      },
    );
  }
  if (another !== undefined) {
    throw new SyncError("USAGE", `Several records of "${sync}" are named "${name}".`, {
      hint: "Name it by a side's key, as SIDE:KEY.",
    });
  }
  return written;
}

/** The record that the newest write under one of these names was of. */
async function lastWritten(
  home: ReconcileContext["home"],
  sync: string,
  names: readonly string[],
): Promise<FoundRecord | undefined> {
  for (const name of names) {
    const [write] = await home.journal({ sync, name, limit: 1 });
    if (write === undefined) continue;
    const { link } = write;
    const [lives] = await home.links(sync, [link]);
    return lives ?? { link, name, agreed: [], behind: false, sides: {}, isEnded: true };
  }
  return undefined;
}

/** What each side last said; while a field waits, what it says in the conflict. */
function sidesOf(
  link: StoredLink,
  index: number,
  conflict: OpenConflict | undefined,
): FieldExplanation["sides"] {
  const agreed = link.agreed[index];
  return Object.entries(link.sides).map(([side, { key, acknowledged }]) => {
    const said = conflict?.candidates.find((one) => one.side === side);
    const value = said === undefined ? acknowledged.returned[index] : said.value;
    const stoodFor = acknowledged.stoodFor[index];
    const same = (a: Value | undefined, b: Value | undefined): boolean =>
      JSON.stringify(a) === JSON.stringify(b);
    return {
      side,
      key,
      ...(value === undefined ? {} : { value }),
      isBehind: said === undefined && agreed !== undefined && !same(stoodFor, agreed),
      isLossy:
        said === undefined &&
        agreed !== undefined &&
        same(stoodFor, agreed) &&
        !same(value, agreed),
    };
  });
}

function provenance(
  decision: { readonly runId: string; readonly at: number; readonly record: PlannedRecord },
  index: number,
): readonly Provenance[] {
  const { runId, at, record } = decision;
  const reason = record.reasons[index];
  const before = record.before?.[index];
  const after = record.agreed[index];
  const isUndo =
    record.record.kind === "undone" && JSON.stringify(before) !== JSON.stringify(after);
  if (reason === undefined || (reason.kind === "agreed" && !isUndo)) return [];
  return [
    {
      runId,
      at,
      reason,
      record: record.record,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ];
}
