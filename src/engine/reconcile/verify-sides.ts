import { sameValue } from "../../core/same-value.ts";
import type { LinkId } from "../../model/plan.ts";
import type { Value } from "../../model/value.ts";
import type { StoredLink, StoredSide } from "../../ports/agreements.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { readKeys } from "./read-keys.ts";

const LINKS_AT_ONCE = 500;
const SAMPLES = 10;

/** What differs on one side, and where. */
export interface SideDrift {
  readonly side: string;
  readonly compared: number;
  /** Linked records that are not there. */
  readonly missing: number;
  /** Records with a value that is not the agreed one, by field. */
  readonly fields: Readonly<Record<string, number>>;
  /** Values that the side returns in its own way for the agreed ones, by field. */
  readonly lossy: Readonly<Record<string, number>>;
  /** The first of them, for people. */
  readonly samples: readonly {
    readonly name: string;
    readonly field?: string;
    readonly agreed?: Value;
    readonly found?: Value;
  }[];
}

export interface VerifiedSides {
  readonly records: number;
  /** How many of them were looked at. */
  readonly compared: number;
  readonly sides: readonly SideDrift[];
  readonly isEqual: boolean;
}

/**
 * Compares what every side has now with what is agreed, record by record. Fields in review are
 * differences like others. With `sample`, so many records spread evenly over all are looked at.
 */
export async function verifySides(work: ReconcileWork, sample?: number): Promise<VerifiedSides> {
  const { context } = work;
  const { home, sync } = context;
  const records = await home.linkCount(sync);
  const every = sample === undefined ? 1 : Math.max(1, Math.floor(records / sample));
  const drifts = context.sides.map((side) => createDrift(side.name));
  let [after, nth, compared]: [LinkId, number, number] = [0, 0, 0];
  for (;;) {
    const links = await home.scanLinks(sync, after, LINKS_AT_ONCE);
    const last = links.at(-1);
    if (last === undefined) break;
    after = last.link;
    const chosen = links.filter(() => nth++ % every === 0);
    compared += chosen.length;
    await Promise.all(
      context.sides.map((side, index) => compareSide(work, side, chosen, drifts[index])),
    );
    context.emit({ kind: "merging", at: context.clock.now(), merged: compared });
  }
  const sides = drifts.map((drift) => drift.result());
  const isEqual = sides.every(
    ({ missing, fields }) => missing === 0 && Object.keys(fields).length === 0,
  );
  return { records, compared, sides, isEqual };
}

async function compareSide(
  work: ReconcileWork,
  side: SideContext,
  links: readonly StoredLink[],
  drift: Drift | undefined,
): Promise<void> {
  const own = links.flatMap((link) => {
    const stored = link.sides[side.name];
    return stored === undefined ? [] : [{ link, stored }];
  });
  const found = await readKeys(
    work,
    side,
    own.map(({ stored }) => stored.key),
  );
  for (const { link, stored } of own) {
    const record = found.get(stored.key);
    if (record === undefined) drift?.missing(link.name);
    else if (record !== "unreadable") {
      const values = side.mapping.toShared(record.values).values;
      compareFields(work.context, drift, link, stored, values);
    }
    drift?.compared();
  }
}

function compareFields(
  { rules }: ReconcileContext,
  drift: Drift | undefined,
  link: StoredLink,
  stored: StoredSide,
  values: readonly (Value | undefined)[],
): void {
  rules.fields.forEach((field, index) => {
    const agreed = link.agreed[index];
    const value = values[index];
    if (agreed === undefined || value === undefined || sameValue(field, agreed, value)) return;
    const { returned, stoodFor } = stored.acknowledged;
    const [said, told] = [returned[index], stoodFor[index]];
    const isLossy =
      said !== undefined &&
      told !== undefined &&
      sameValue(field, said, value) &&
      sameValue(field, told, agreed);
    if (isLossy) drift?.lossy(field.name);
    else drift?.differs(link.name, field.name, agreed, value);
  });
}

interface Drift {
  compared(): void;
  missing(name: string): void;
  lossy(field: string): void;
  differs(name: string, field: string, agreed: Value, found: Value): void;
  result(): SideDrift;
}

function createDrift(side: string): Drift {
  const fields: Record<string, number> = {};
  const lossy: Record<string, number> = {};
  const samples: SideDrift["samples"][number][] = [];
  let [compared, missing] = [0, 0];
  const show = (sample: SideDrift["samples"][number]): void => {
    if (samples.length < SAMPLES) samples.push(sample);
  };
  return {
    compared: () => {
      compared += 1;
    },
    missing: (name) => {
      missing += 1;
      show({ name });
    },
    lossy: (field) => {
      lossy[field] = (lossy[field] ?? 0) + 1;
    },
    differs: (name, field, agreed, found) => {
      fields[field] = (fields[field] ?? 0) + 1;
      show({ name, field, agreed, found });
    },
    result: () => ({ side, compared, missing, fields, lossy, samples }),
  };
}
