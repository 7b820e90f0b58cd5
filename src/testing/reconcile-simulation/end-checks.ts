import type { MemoryRow, MemorySystem } from "../../connectors/memory/system.ts";
import { sameValue } from "../../core/same-value.ts";
import { matchName } from "../../engine/reconcile/names.ts";
import { storedLink } from "../../homes/memory/links.ts";
import { joined } from "../../homes/memory/state.ts";
import type { Values } from "../../model/record.ts";
import { plannedFromText } from "../../model/stored-plan.ts";
import type { Value } from "../../model/value.ts";
import type { StoredLink, StoredSide } from "../../ports/agreements.ts";
import { makerOf } from "./ledger.ts";
import { FIELDS, MARKED, type SideShape, STREAM, SYNC } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";

type Complain = (text: string) => void;

/** What must hold when people and faults have stopped and a plan is empty. */
export function checkEnd(world: ReconcileWorldState): void {
  const complain: Complain = (text) => world.violations.push(`in the end ${text}`);
  const links = [...world.home.agreements.links.values()].map((kept) =>
    storedLink(world.home.agreements, kept),
  );
  for (const link of links) {
    for (const side of world.shape.sides) checkSide(world, link, side, complain);
  }
  checkUnlinked(world, links, complain);
  checkConflicts(world, links, complain);
  checkDoubles(world, complain);
  checkValues(world, complain);
}

const systemOf = (world: ReconcileWorldState, side: string): MemorySystem =>
  world.systems.get(side) as MemorySystem;

function openQuestions(world: ReconcileWorldState, link: number): ReadonlySet<string> {
  const open = [...world.home.agreements.conflicts.values()].filter((one) => one.link === link);
  return new Set(open.map(({ field }) => field ?? "*"));
}

/** Each side has what is agreed, as far as it takes part and as it gives such values back. */
function checkSide(
  world: ReconcileWorldState,
  link: StoredLink,
  side: SideShape,
  complain: Complain,
): void {
  const { role } = side;
  const open = openQuestions(world, link.link);
  if (open.has("*")) return;
  const own = link.sides[side.name];
  const belongs = role.accepts(link.agreed);
  const keeps = world.shape.rules.deletes.propagate === "keep";
  const what = `${JSON.stringify(link.name)} (link ${link.link}) on ${side.name}`;
  if (own === undefined) {
    const blank = link.agreed.every((value, index) => {
      const isWritten = role.directions[index] === "both" || role.directions[index] === "write";
      return value == null || !isWritten || open.has(FIELDS[index]?.name ?? "");
    });
    const hasKey = side.schema.key[0] === "id" || link.agreed[0] != null;
    const isThere = systemOf(world, side.name)
      .rows(STREAM)
      .some(({ values }) => values["sku"] === link.name);
    // A person sees why none is made there: one that is not matched has the name, and is told so,
    // or another shared record has it, as `checkUnlinked` makes sure.
    if (isThere) {
      world.tallies.count("ambiguous name");
      return;
    }
    if (belongs && role.create && !blank && hasKey) complain(`${what} is missing`);
    return;
  }
  const row = systemOf(world, side.name).row(STREAM, own.key);
  if (row === undefined) {
    if (belongs && !keeps) complain(`${what} is linked and gone`);
    return;
  }
  if (!belongs || !role.update) return;
  FIELDS.forEach((field, index) => {
    const agreed = link.agreed[index];
    const direction = role.directions[index];
    if (agreed === undefined || open.has(field.name)) return;
    if (direction !== "both" && direction !== "write") return;
    const value = sharedOf(side, row)[index];
    if (value === undefined) return;
    if (sameValue(field, value, agreed) || standsFor(side, own, index, value, agreed)) return;
    complain(`${what}: ${field.name} is ${String(value)}, agreed is ${String(agreed)}`);
  });
}

/** The side's own way to give the agreed value back. */
function standsFor(
  side: SideShape,
  own: StoredSide,
  index: number,
  value: Value,
  agreed: Value,
): boolean {
  const name = FIELDS[index]?.name ?? "";
  const { returned } = own.acknowledged;
  return side.storage(name, agreed) === value && returned[index] === value;
}

function sharedOf(side: SideShape, row: MemoryRow): Values {
  const own = side.schema.fields.map(({ name }) => row.values[name]);
  return side.mapping.toShared(own).values;
}

/** A record that is not linked has a reason that people can see. */
function checkUnlinked(
  world: ReconcileWorldState,
  links: readonly StoredLink[],
  complain: Complain,
): void {
  const { ledger, home } = world;
  const { agreements } = home;
  for (const side of world.shape.sides) {
    const rows = systemOf(world, side.name).rows(STREAM);
    const unlinked = rows.filter(({ id }) => !agreements.sides.has(joined(SYNC, side.name, id)));
    for (const row of unlinked) {
      const shared = sharedOf(side, row);
      const name = matchName(world.shape.rules, [0], shared);
      if (name === undefined || !side.role.accepts(shared)) continue;
      // It takes part in the question, and is linked with the answer.
      const isOpen = links.some((link) => {
        return link.name === name && openQuestions(world, link.link).has("*");
      });
      const isMarked = row.values["status"] === MARKED;
      const isKept =
        isMarked || side.role.remove === "never" || ledger.left.has(joined(side.name, row.id));
      const isBuried = agreements.buried.has(joined(SYNC, side.name, row.id));
      if (
        isRefused(world, links, name) ||
        isOpen ||
        (isBuried && (isKept || mayBeOld(world, side)))
      ) {
        world.tallies.count("ambiguous name");
        continue;
      }
      complain(`${side.name} ${row.id} (${name}) is not linked`);
    }
  }
}

/** One name, more than once on a side or as several links: nothing of it is matched. */
function isRefused(
  world: ReconcileWorldState,
  links: readonly StoredLink[],
  name: string,
): boolean {
  const { agreements } = world.home;
  const linked = links.filter((link) => link.name === name);
  if (linked.length > 1) return true;
  return world.shape.sides.some((side) => {
    const unlinked = systemOf(world, side.name)
      .rows(STREAM)
      .filter(
        ({ id, values }) =>
          values["sku"] === name && !agreements.sides.has(joined(SYNC, side.name, id)),
      );
    if (unlinked.length > 1) return true;
    return unlinked.length > 0 && linked.some(({ sides }) => sides[side.name] !== undefined);
  });
}

/**
 * Without times, or with old data whenever it is asked, nothing tells a record that came back from
 * an old one. A person is told that it is left alone, and any edit of it counts.
 */
function mayBeOld(world: ReconcileWorldState, side: SideShape): boolean {
  return (
    side.schema.modifiedAt === undefined || [...world.ledger.misled.values()].includes("always")
  );
}

/** A question that stands is about something: there are two answers to it. */
function checkConflicts(
  world: ReconcileWorldState,
  links: readonly StoredLink[],
  complain: Complain,
): void {
  for (const conflict of world.home.agreements.conflicts.values()) {
    if (conflict.resolution !== undefined) {
      complain(`conflict ${conflict.id} was decided by a person, and still waits`);
    }
    const link = links.find((one) => one.link === conflict.link);
    if (link === undefined) {
      complain(`conflict ${conflict.id} is about a record that is not there`);
      continue;
    }
    const index = FIELDS.findIndex(({ name }) => name === conflict.field);
    const field = FIELDS[index];
    if (field === undefined) continue;
    for (const { side: name, value } of conflict.candidates) {
      const side = world.shape.sides.find((one) => one.name === name);
      const own = link.sides[name];
      const row = own && systemOf(world, name).row(STREAM, own.key);
      const now = row && side ? sharedOf(side, row)[index] : undefined;
      // Where a side holds the base, the question shows a person what it stands for, not how the
      // side spells it; and a record that is gone is asked about for what it said last.
      const isHeld = own !== undefined && own.acknowledged.stoodFor[index] === value;
      const isBase = conflict.base !== undefined && sameValue(field, conflict.base, value);
      if (now === undefined || isHeld || isBase || sameValue(field, now, value)) continue;
      const { id } = conflict;
      complain(`conflict ${id} shows ${String(value)} of ${name}, which has ${String(now)}`);
    }
  }
}

/**
 * No record stands twice on a side, unless people made it twice. A copy whose making was not heard
 * of is found by its name, where the system assigns keys: a new name in between hides it.
 */
function checkDoubles(world: ReconcileWorldState, complain: Complain): void {
  const unheard = new Set(
    [...world.ledger.writes.values()]
      .filter(({ id }) => world.home.agreements.operations.get(id)?.state !== "written")
      .map(({ origin }) => origin)
      .filter((origin) => world.ledger.renamed.has(origin ?? null)),
  );
  for (const side of world.shape.sides) {
    const seen = new Map<Value, Value | undefined>();
    for (const row of systemOf(world, side.name).rows(STREAM)) {
      const { values } = row;
      const origin = values["origin"];
      if (typeof origin !== "string" || world.ledger.maySecond(origin)) continue;
      if (unheard.has(origin) || isNoCopy(world, side, row, origin)) continue;
      const isOther = seen.get(origin) !== values["sku"] && wasParted(world, origin);
      if (seen.has(origin) && !isOther) complain(`${side.name} has ${origin} twice`);
      seen.set(origin, values["sku"]);
    }
  }
}

/**
 * A person made it themselves under the name, and it took over what was agreed; or it was kept when
 * the record was deleted elsewhere, and stands there under its old name while people gave another
 * copy a new one, which made that a record of its own, or marked beside one that an undo put back; or
 * an undo parted it, and its side's filter leaves it out.
 */
function isNoCopy(
  world: ReconcileWorldState,
  side: SideShape,
  row: MemoryRow,
  origin: string,
): boolean {
  const { ledger, home } = world;
  const { buried, sides } = home.agreements;
  const id = joined(SYNC, side.name, row.id);
  if (ledger.adopted.has(joined(side.name, row.id))) return true;
  if (sides.has(id)) return false;
  if (!buried.has(id)) return ledger.parted.has(origin) && !side.role.accepts(sharedOf(side, row));
  const isMarked = row.values["status"] === MARKED;
  // What every answer of a run left out was taken for deleted, and may have been made once more.
  const isMisled = [...ledger.misled.values()].includes("always");
  return isMisled || ledger.renamed.has(origin) || (isMarked && isPutBack(world, side, origin));
}

/** An undo made a record of that origin there again. */
function isPutBack({ home }: ReconcileWorldState, { name }: SideShape, origin: string): boolean {
  const { operations, planned } = home.agreements;
  return [...operations.values()].some((operation) => {
    const { side, kind, state, fields } = operation;
    if (side !== name || kind !== "create" || state !== "written") return false;
    if (!fields.some(({ field, after }) => field === "origin" && after === origin)) return false;
    const kept = planned.get(joined(operation.plan, String(operation.link)));
    return kept !== undefined && plannedFromText(kept.text).record.kind === "undone";
  });
}

/**
 * Copies of it were let go where they stood when it was deleted or its first meeting undone, and
 * people then gave one of them another name: each that somebody works on again, or that another undo
 * puts back, is a record of its own, and goes everywhere.
 */
function wasParted({ ledger }: ReconcileWorldState, origin: string): boolean {
  return ledger.parted.has(origin) && ledger.renamed.has(origin);
}

/** Whatever a person wrote still stands, or was beaten by name, replaced, or deleted on record. */
function checkValues(world: ReconcileWorldState, complain: Complain): void {
  const { ledger, shape } = world;
  const standing = new Set<unknown>();
  for (const { name } of shape.sides) {
    for (const { values } of systemOf(world, name).rows(STREAM)) {
      for (const value of Object.values(values)) standing.add(value);
      for (const value of Object.values(values)) standing.add(String(value).toLowerCase());
    }
  }
  const traced = tracedValues(world);
  for (const [value, { side, field }] of ledger.made) {
    if (standing.has(value) || ledger.isExcused(value) || traced.has(value)) continue;
    const role = shape.sides.find(({ name }) => name === side)?.role;
    const direction = role?.directions[FIELDS.findIndex(({ name }) => name === field)];
    // Whoever has a side that is only written to knows that nothing is taken from it.
    if (direction !== "both" && direction !== "read") continue;
    complain(`${field} ${value}, written on ${side}, is lost without a trace`);
  }
}

/** Values named as beaten in a decision that was applied, or kept of a record that was deleted. */
function tracedValues(world: ReconcileWorldState): ReadonlySet<unknown> {
  const traced = new Set<unknown>();
  const { planned, operations } = world.home.agreements;
  for (const { plan, settled, text } of planned.values()) {
    if (settled === undefined) continue;
    // Old data looks like an edit. A person would accept that what it replaced is gone, since the
    // history of that very run names it.
    const isMisled = world.ledger.misled.has(makerOf(plan));
    const { reasons, before } = plannedFromText(text);
    reasons.forEach((reason, index) => {
      if (reason.kind === "decided") for (const { value } of reason.beat) traced.add(value);
      // A side that is never told edits without having seen; the history names what it replaced.
      const by = reason.kind === "changed" ? reason.by : [];
      // So does one that was beaten by a third: by then both had replaced what was agreed.
      const from =
        reason.kind === "decided"
          ? [reason.from ?? [], reason.beat.map((one) => one.side)].flat()
          : [];
      const blind = isMisled || [...by, ...from].some((side) => !isTold(world, side, index));
      if (blind) traced.add(before?.[index]);
    });
  }
  for (const { id, kind, state, fields } of operations.values()) {
    if (kind !== "delete" || (state !== "written" && !world.ledger.writes.has(id))) continue;
    for (const { before } of fields) traced.add(before);
  }
  return traced;
}

function isTold({ shape }: ReconcileWorldState, side: string, index: number): boolean {
  const role = shape.sides.find(({ name }) => name === side)?.role;
  const direction = role?.directions[index];
  return role?.update === true && (direction === "both" || direction === "write");
}

/** Every write that happened is in the journal, and what it calls written did happen. */
export function checkJournal(world: ReconcileWorldState): void {
  const { operations } = world.home.agreements;
  for (const { id, side, kind, process } of world.ledger.writes.values()) {
    const state = operations.get(id)?.state;
    if (state !== undefined) continue;
    world.violations.push(`${process} ${kind} on ${side} (${id}) is not in the journal`);
  }
  for (const { id, state, kind } of operations.values()) {
    if (state !== "written" || kind === "delete" || world.ledger.writes.has(id)) continue;
    // Its answer was lost, maybe with the process that was given it, before it noted it; and the
    // record stands as the write would have made it.
    const process = world.ledger.answered.get(id);
    if (process === undefined || world.ledger.noted.get(id) !== process) continue;
    world.violations.push(`the journal calls ${id} written, which was never done`);
  }
}
