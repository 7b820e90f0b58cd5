import type { JournaledOperation, LinkId, Operation, PlannedRecord } from "../../model/plan.ts";
import type { StreamRecord, Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { listAgain, listWhole } from "./list-again.ts";
import { matchName } from "./names.ts";
import { changesCursor } from "./observe-side.ts";
import { leaveOut } from "./taken-creates.ts";

/** The planned records without some of their creates, and the sides that must tell anew. */
export interface Withheld {
  readonly planned: readonly PlannedRecord[];
  readonly waiting: readonly string[];
}

/** What stands there of a name: a record that takes part, or one that the side's filter leaves out. */
type Found = "inside" | "outside";

const WHY: Readonly<Record<Found | "unread", string>> = {
  inside: "it was made there, though the answer was lost; the next run links it.",
  outside: "a record of this name takes no part; it may be the one whose making nobody heard of.",
  unread: "whether the lost answer meant that it was made cannot be looked up now.",
};

interface PlannedCreate {
  readonly record: PlannedRecord;
  readonly operation: Operation;
}

/**
 * Leaves out creates that may have been done already: one was sent before, nobody heard what became
 * of it, and the system assigns keys, so that only a listing tells. The listing that this plan is
 * made from may have been an old one. So the side is listed once more, and where it has an unlinked
 * record of the name, or cannot be listed now, the create waits for the next plan, which links the
 * record.
 */
export async function withoutUnheard(
  work: ReconcileWork,
  planned: readonly PlannedRecord[],
): Promise<Withheld> {
  const left = new Map<string, string>();
  const waiting: string[] = [];
  for (const side of work.context.sides) {
    const creates = planned
      .filter(({ isNew }) => !isNew)
      .flatMap((record) =>
        record.operations
          .filter(({ side: name, kind }) => name === side.name && kind === "create")
          .filter(({ key }) => key === undefined)
          .map((operation) => ({ record, operation })),
      );
    const unheard = await sentBefore(work, side, creates);
    if (unheard.length === 0) continue;
    const there = await unlinkedNames(
      work,
      side,
      unheard.map(({ record }) => record.name),
    );
    for (const { record, operation } of unheard) {
      const found = there === undefined ? "unread" : there.get(record.name);
      if (found === undefined) continue;
      left.set(operation.id, `${side.name}: ${WHY[found]}`);
      if (!waiting.includes(side.name)) waiting.push(side.name);
    }
  }
  return { planned: planned.map((record) => leaveOut(record, left)), waiting };
}

/** Those whose last operation on the side was a create as well, and not heard to be written. */
async function sentBefore(
  work: ReconcileWork,
  { name }: SideContext,
  creates: readonly PlannedCreate[],
): Promise<readonly PlannedCreate[]> {
  const { home, sync } = work.context;
  if (creates.length === 0) return [];
  const links = creates.map(({ record }) => record.link);
  const journaled = await home.journal({ sync, links, limit: Number.MAX_SAFE_INTEGER });
  const last = new Map<LinkId, JournaledOperation>();
  for (const operation of journaled) {
    if (operation.side === name && !last.has(operation.link)) last.set(operation.link, operation);
  }
  return creates.filter(({ record }) => {
    const { kind, state } = last.get(record.link) ?? {};
    return kind === "create" && state !== "written" && state !== "rejected";
  });
}

/**
 * What unlinked records the side has of the names; nothing where it cannot be listed now. What its
 * changes do not tell may have been told in a run in which nobody asked for it: before something is
 * made a second time the side is read whole.
 */
async function unlinkedNames(
  work: ReconcileWork,
  side: SideContext,
  names: readonly string[],
): Promise<ReadonlyMap<string, Found> | undefined> {
  const found = new Map<string, Found>();
  const missing = (): readonly string[] => names.filter((name) => !found.has(name));
  try {
    await findNames(work, side, names, listAgain(work, side), found);
    const isTold = missing().length === 0 || (await changesCursor(work, side)) === undefined;
    if (!isTold) await findNames(work, side, missing(), listWhole(work, side), found);
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    if (error.code.startsWith("HOME_")) throw error;
    return undefined;
  }
  return found;
}

async function findNames(
  work: ReconcileWork,
  side: SideContext,
  names: readonly string[],
  pages: AsyncIterable<Page>,
  found: Map<string, Found>,
): Promise<void> {
  const { home, sync, rules, match } = work.context;
  const wanted = new Set(names);
  const sharedOf = ({ values }: StreamRecord): Values => side.mapping.toShared(values).values;
  const nameOf = (record: StreamRecord): string => matchName(rules, match, sharedOf(record)) ?? "";
  for await (const { records } of pages) {
    const named = records.filter((record) => wanted.has(nameOf(record)));
    if (named.length === 0) continue;
    const keys = named.map(({ key }) => key);
    const known = await home.known(sync, side.name, keys);
    for (const record of named.filter(({ key }) => !known.has(key))) {
      const name = nameOf(record);
      if (found.get(name) === "inside") continue;
      found.set(name, side.role.accepts(sharedOf(record)) ? "inside" : "outside");
    }
  }
}
