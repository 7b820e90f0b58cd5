import type { JournaledOperation, LinkId, Operation, PlannedRecord } from "../../model/plan.ts";
import type { Page } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { listAgain, listWhole } from "./list-again.ts";
import { nameOf } from "./names.ts";
import { changesCursor } from "./observe-side.ts";
import type { PutBack } from "./put-back.ts";
import { sideTrouble } from "./side-trouble.ts";
import { isAssigned, leaveOut } from "./taken-creates.ts";

/** The planned records without some of their creates, and the sides that must tell anew. */
export interface Withheld {
  readonly planned: readonly PlannedRecord[];
  readonly waiting: readonly string[];
}

/** What stands there of a name: a record that takes part, or one that the side's filter leaves out. */
type Found = "inside" | "outside";

const WHY: Readonly<Record<Found | "unread" | "stranger", string>> = {
  inside: "it was made there, though the answer was lost; the next run links it.",
  outside: "a record of this name takes no part; it may be the one whose making nobody heard of.",
  stranger: "a record of this name stands there, which was not listed; the next run links it.",
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
 * record of the name, or cannot be listed now, or could not be asked what became of the one before,
 * the create waits for the next plan, which links the record. Likewise what is made for the first time
 * under a name of which an undo put something back there (`putBack`).
 */
export async function withoutUnheard(
  work: ReconcileWork,
  planned: readonly PlannedRecord[],
  putBack: ReadonlyMap<string, PutBack>,
): Promise<Withheld> {
  const left = new Map<string, string>();
  const waiting: string[] = [];
  for (const side of work.context.sides) {
    const again = putBack.get(side.name)?.standing ?? new Set();
    const creates = planned
      .filter(({ isNew, name }) => !isNew || again.has(name))
      .flatMap((record) =>
        record.operations
          .filter((one) => one.side === side.name && isAssigned(one))
          .map((operation) => ({ record, operation })),
      );
    const unheard = await sentBefore(work, side, creates, again);
    if (unheard.length === 0) continue;
    const there = await unlinkedNames(
      work,
      side,
      unheard.map(({ record }) => record.name),
    );
    for (const create of unheard) {
      const why = whyLeft(create, there);
      if (why === undefined) continue;
      left.set(create.operation.id, `${side.name}: ${WHY[why]}`);
      if (!waiting.includes(side.name)) waiting.push(side.name);
    }
  }
  return { planned: planned.map((record) => leaveOut(record, left)), waiting };
}

interface UnheardCreate extends PlannedCreate {
  /** The side could not be asked since what became of the one before. */
  readonly isOpen: boolean;
  /** None was sent of this record, and an undo put something of its name back. */
  readonly isFirst: boolean;
}

function whyLeft(
  { record: { name }, isOpen, isFirst }: UnheardCreate,
  there: ReadonlyMap<string, Found> | undefined,
): keyof typeof WHY | undefined {
  const found = there?.get(name);
  if (isFirst) return found === "inside" ? "stranger" : undefined;
  // It may stand there under the name that it was sent with, which is another one by now.
  const unfound = isOpen ? "unread" : undefined;
  return there === undefined ? "unread" : (found ?? unfound);
}

/**
 * Those whose last operation on the side was a create as well, and not heard to be written; and
 * those of which there was none, and of whose name an undo put something back.
 */
async function sentBefore(
  work: ReconcileWork,
  { name }: SideContext,
  creates: readonly PlannedCreate[],
  again: ReadonlySet<string>,
): Promise<readonly UnheardCreate[]> {
  const { home, sync } = work.context;
  if (creates.length === 0) return [];
  const links = creates.map(({ record }) => record.link);
  const journaled = await home.journal({ sync, links, limit: Number.MAX_SAFE_INTEGER });
  const last = new Map<LinkId, JournaledOperation>();
  for (const operation of journaled) {
    if (operation.side === name && !last.has(operation.link)) last.set(operation.link, operation);
  }
  return creates.flatMap((create): UnheardCreate[] => {
    const { link, name: what } = create.record;
    const { kind, state } = last.get(link) ?? {};
    if (kind === undefined && again.has(what)) return [{ ...create, isOpen: false, isFirst: true }];
    if (kind !== "create" || state === "written" || state === "rejected") return [];
    return [{ ...create, isOpen: state === "unknown", isFirst: false }];
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
    sideTrouble(work, error);
    return undefined;
  }
  return found;
}

/** Which of the names unlinked records on these pages have, and whether they take part. */
export async function findNames(
  work: ReconcileWork,
  side: SideContext,
  names: readonly string[],
  pages: AsyncIterable<Page>,
  found: Map<string, Found>,
): Promise<void> {
  const { home, sync } = work.context;
  const wanted = new Set(names);
  for await (const { records } of pages) {
    const named = records.flatMap(({ key, values }) => {
      const name = nameOf(work.context, side, values) ?? "";
      return wanted.has(name) ? [{ key, values, name }] : [];
    });
    if (named.length === 0) continue;
    const keys = named.map(({ key }) => key);
    const known = await home.known(sync, side.name, keys);
    for (const { values, name } of named.filter(({ key }) => !known.has(key))) {
      if (found.get(name) === "inside") continue;
      const isInside = side.role.accepts(side.mapping.toShared(values).values);
      found.set(name, isInside ? "inside" : "outside");
    }
  }
}
