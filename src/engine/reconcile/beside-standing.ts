import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import type { SideObservation } from "./observe-side.ts";
import { readNamed } from "./read-keys.ts";
import { sideTrouble } from "./side-trouble.ts";
import { isAssigned, leaveOut } from "./taken-creates.ts";
import type { Withheld } from "./unheard-creates.ts";

/** A create of a record of that name, under a key that the system assigns. */
interface NamedCreate {
  readonly link: PlannedRecord["link"];
  readonly name: string;
  readonly operation: Operation;
}

const STANDS = "a record of this name was left standing there; the next run links it.";
const UNREAD = "whether a record of this name still stands there cannot be looked up now.";

/**
 * Leaves out creates beside a record of the name that was left alone on the side as old news: marked
 * or kept when it was deleted, or brought back by a backup. What lacks a record there already has met
 * it before it is planned (`stageMetAgain`); what this plan finds gone there, or calls by that name,
 * has not. It loses its own record there with this plan, and the next one links the other.
 */
export async function withoutStanding(
  work: ReconcileWork,
  planned: readonly PlannedRecord[],
  observed: ReadonlyMap<string, SideObservation>,
): Promise<Withheld> {
  const left = new Map<string, string>();
  const waiting: string[] = [];
  for (const side of work.context.sides) {
    const creates = planned.flatMap(({ link, name, operations }): NamedCreate[] =>
      operations
        .filter((one) => one.side === side.name && isAssigned(one))
        .map((operation) => ({ link, name, operation })),
    );
    const beside = await besideStanding(work, side, observed.get(side.name), creates);
    for (const [{ operation }, why] of beside) left.set(operation.id, `${side.name}: ${why}`);
    if (beside.size > 0) waiting.push(side.name);
  }
  if (left.size === 0) return { planned, waiting };
  return { planned: planned.map((record) => leaveOut(record, left)), waiting };
}

async function besideStanding(
  work: ReconcileWork,
  side: SideContext,
  observation: SideObservation | undefined,
  creates: readonly NamedCreate[],
): Promise<ReadonlyMap<NamedCreate, string>> {
  const left = await leftOf(work, side, observation, creates);
  if (left.size === 0) return new Map();
  const names = new Set(left.values());
  const met: NamedCreate[] = [];
  for (const create of creates.filter(({ name }) => names.has(name))) {
    if (!(await hasOther(work, side, create))) met.push(create);
  }
  try {
    const there = await readNamed(work, side, left);
    const standing = new Set([...there.keys()].map((key) => left.get(key)));
    return new Map(met.filter(({ name }) => standing.has(name)).map((one) => [one, STANDS]));
  } catch (error) {
    sideTrouble(work, error);
    return new Map(met.map((one) => [one, UNREAD]));
  }
}

/** What was left alone on the side under one of the names, each with its name. */
async function leftOf(
  { context: { home, sync } }: ReconcileWork,
  side: SideContext,
  observation: SideObservation | undefined,
  creates: readonly NamedCreate[],
): Promise<ReadonlyMap<RecordKey, string>> {
  const names = new Set(creates.map(({ name }) => name));
  if (names.size === 0) return new Map();
  const standing = await home.standingNamed(sync, side.name, [...names]);
  const found = new Map(standing.map(({ key, name }) => [key, name]));
  for (const { key, name } of observation?.old ?? []) {
    if (name !== undefined && names.has(name)) found.set(key, name);
  }
  return found;
}

/** Where another shared record has the name there, what was left is not met. */
async function hasOther(
  { context: { home, sync } }: ReconcileWork,
  side: SideContext,
  { link, name }: NamedCreate,
): Promise<boolean> {
  const links = await home.findLinks(sync, { name });
  return links.some((other) => other.link !== link && other.sides[side.name] !== undefined);
}
