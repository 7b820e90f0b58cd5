import { SyncError } from "../../model/sync-error.ts";
import { rowsOf } from "./answers.ts";
import type { Answer, Parameters } from "./client.ts";
import type { ListAsk, ListPage, ListPlace, Position } from "./list-page.ts";
import type { Paging } from "./settings.ts";

type Positional = Extract<Paging, { readonly style: "page" | "offset" }>;

/** So many of the last rows are remembered, to be found again. */
const LAST_MAX = 5;
/** How often a list whose rows moved away is read again from its start. */
const STARTS_MAX = 3;
/**
 * So often in a row another position may be answered with the same rows; once it may be that just as
 * many were put in before them.
 */
const SAME_MAX = 2;

/**
 * The pages of a list that is asked for by position. Every request overlaps the one before by a row
 * or more: when a row was deleted meanwhile, so that the others moved up, the last one given is
 * looked for further up, and the list goes on after it. Rows may come twice, none is passed over.
 * Throws PAGING_LOOP where the server heeds no position, so that the list would never end.
 */
export async function* positionalPages(
  ask: ListAsk,
  paging: Positional,
  from: ListPlace,
): AsyncGenerator<ListPage> {
  let place: Position =
    from.at === "position" ? from : { at: "position", count: 0, last: [], size: paging.size.value };
  if (from.at === "end") return;
  const heeded = heedingOf(ask, paging);
  for (let starts = 0; ; ) {
    const found = await rowsAfter(ask, paging, place, heeded);
    if (found === "moved") {
      starts += 1;
      place = { ...place, count: 0, last: [] };
      if (starts > STARTS_MAX) throw moving(ask);
      continue;
    }
    const { rows, start, answer } = found;
    if (rows.length === 0) return;
    const count = start + rows.length;
    const last = [...place.last, ...rows.map(ask.identity)].slice(-LAST_MAX);
    // A server may give fewer than it is asked for; positions must go by what it gives.
    const size = found.given < found.asked ? Math.max(2, found.given) : place.size;
    place = { at: "position", count, last, size };
    yield { rows, answer, next: place };
  }
}

interface Found {
  /** Those after the last row given. */
  readonly rows: readonly unknown[];
  /** Position of the first of them. */
  readonly start: number;
  /** How many rows the answer had, and how many it was asked for. */
  readonly given: number;
  readonly asked: number;
  readonly answer: Answer;
}

async function rowsAfter(
  ask: ListAsk,
  paging: Positional,
  { count, last, size }: Position,
  heeded: (window: Window) => Window,
): Promise<Found | "moved"> {
  for (let wanted = Math.max(0, count - 1); ; wanted = Math.max(0, wanted - size)) {
    const window = heeded(await fetchWindow(ask, paging, wanted, size));
    if (last.length === 0) return foundIn(window, 0);
    const names = window.rows.map(ask.identity);
    const at = Math.max(...last.map((identity) => names.lastIndexOf(identity)));
    if (at >= 0) {
      const found = foundIn(window, at + 1);
      const isFull = found.given >= window.asked;
      if (found.rows.length > 0 || !isFull) return found;
      // What was given ends right where this answer does.
      const after = await fetchWindow(ask, paging, window.start + found.given, size);
      return foundIn(heeded(after), 0);
    }
    if (wanted === 0) return "moved";
  }
}

const foundIn = ({ rows, start, asked, answer }: Window, from: number): Found => ({
  rows: rows.slice(from),
  start: start + from,
  given: rows.length,
  asked,
  answer,
});

interface Window {
  readonly rows: readonly unknown[];
  readonly start: number;
  readonly asked: number;
  readonly answer: Answer;
}

/** Rows from a position on; by page number from one a little before it. */
async function fetchWindow(
  { client, stream, parameters, signal }: ListAsk,
  paging: Positional,
  wanted: number,
  sizeMax: number,
): Promise<Window> {
  const { start, number, size } = windowOf(paging, wanted, sizeMax);
  const positions: Parameters = [
    ...parameters,
    [paging.parameter, String(number)],
    [paging.size.parameter, String(size)],
  ];
  const call = { method: "GET", path: stream.list.path, parameters: positions } as const;
  const answer = await client.ask(stream, call, signal);
  return { rows: rowsOf(client, stream, answer), start, asked: size, answer };
}

/**
 * Of page sizes up to the greatest one, that whose page begins the least before the wanted position,
 * so that almost all of it is new.
 */
export function windowOf(
  paging: Positional,
  wanted: number,
  sizeMax: number,
): { readonly start: number; readonly number: number; readonly size: number } {
  if (paging.style === "offset") return { start: wanted, number: wanted, size: sizeMax };
  let best = sizeMax;
  for (let size = sizeMax; size > sizeMax / 2 && size > 1; size -= 1) {
    if (size - (wanted % size) > best - (wanted % best)) best = size;
  }
  const page = Math.floor(wanted / best);
  return { start: page * best, number: page + paging.first, size: best };
}

/** Gives the windows of one list as they are, and throws when other positions change nothing. */
function heedingOf(
  { identity, stream }: ListAsk,
  { parameter }: Positional,
): (window: Window) => Window {
  let before: (Pick<Window, "start"> & { readonly names: readonly string[] }) | undefined;
  let same = 0;
  return (window) => {
    const { start, answer } = window;
    const names = window.rows.map(identity);
    if (before !== undefined && before.start !== start) {
      same = beginAlike(before.names, names) ? same + 1 : 0;
    }
    before = { start, names };
    if (same < SAME_MAX) return window;
    throw new SyncError(
      "PAGING_LOOP",
      `The server answers every "${parameter}" of the list of stream "${stream.name}" with the same records.`,
      {
        context: { stream: stream.name, url: answer.url },
        hint: "Name the parameter that the server takes in `paging`; where it gives all at once, set `paging: { style: none }`.",
      },
    );
  };
}

/** Sizes of pages may differ. */
function beginAlike(one: readonly string[], other: readonly string[]): boolean {
  const length = Math.min(one.length, other.length);
  return length > 0 && one.slice(0, length).every((name, at) => name === other[at]);
}

function moving({ stream }: ListAsk): SyncError {
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The list of stream "${stream.name}" changes faster than its pages can be read.`,
    { context: { stream: stream.name } },
  );
}
