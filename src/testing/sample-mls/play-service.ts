import type { Key } from "./model.ts";
import { compareKeys, findProperty } from "./model.ts";
import type { Play } from "./plays.ts";
import { checkPlay, REPLICATION_FACTOR, SESSION_MS } from "./plays.ts";
import type { Query, QueryRunner } from "./query.ts";
import type { QueryOptions } from "./query-options.ts";
import { checkQueryOptions } from "./query-options.ts";
import { badRequest, RequestError } from "./request-error.ts";
import type { ServerState } from "./server-state.ts";
import type { Table } from "./table.ts";

/** A collection asked of a platform. */
export interface PlayedRequest {
  readonly table: Table;
  readonly given: ReadonlyMap<string, string>;
  readonly isReplication: boolean;
  /** `$filter` and the rest are checked for navigation paths too, but these are not paged. */
  readonly within?: readonly number[] | undefined;
}

export interface PlayedPage {
  readonly query: Query;
  readonly slots: readonly number[];
  /** What follows the service root, where the collection goes on. */
  readonly next: string | undefined;
}

interface ReplicationSession {
  readonly query: Query;
  readonly slots: Uint32Array;
  readonly size: number;
  readonly link: string;
  at: number;
  usedMs: number;
}

const TOKENS: Readonly<Record<string, string>> = { spark: "$skiptoken", bridge: "next" };

/** Pages collections as a platform does. */
export class PlayService {
  readonly #play: Play;
  readonly #state: ServerState;
  readonly #runner: QueryRunner;
  readonly #sessions: Map<string, ReplicationSession> = new Map();

  constructor(play: Play, state: ServerState, runner: QueryRunner) {
    this.#play = play;
    this.#state = state;
    this.#runner = runner;
  }

  page(request: PlayedRequest): PlayedPage {
    const { given, table, isReplication } = request;
    const { vendor } = this.#play;
    if (isReplication && vendor === "trestle") {
      return this.#goOn(given.get("id") ?? "");
    }
    if (
      isReplication &&
      (vendor !== "bridge" || table.entity.timestamp?.startsWith("Bridge") !== true)
    ) {
      throw new RequestError(404, "There is no such replication endpoint");
    }
    const query = this.#query(request);
    const size = this.#size(query.options.top, isReplication);
    if (vendor === "trestle" && given.get("replication") === "true") {
      return this.#begin(query, size);
    }
    const isToken = vendor === "spark" || isReplication;
    return isToken ? this.#byToken(request, query, size) : this.#bySkip(request, query, size);
  }

  #query({ table, given, isReplication, within }: PlayedRequest): Query {
    checkPlay(this.#play, given, table.entity);
    if (isReplication && (given.has("$orderby") || given.has("$skip"))) {
      throw badRequest("The replication endpoint takes neither $orderby nor $skip");
    }
    const plain = new Map([...given].filter(([name]) => name !== "$skiptoken"));
    const options = checkQueryOptions(plain, table.entity, this.#state.behavior);
    const order = isReplication ? "time" : this.#play.order;
    const ordered = order === undefined ? options : orderedBy(options, table, order);
    const now = this.#state.clock.nowMs() * 1000;
    return { table, options: ordered, now, ...(within === undefined ? {} : { within }) };
  }

  #size(top: number | undefined, isReplication: boolean): number {
    const { pageSize } = this.#state.behavior;
    const max = isReplication ? pageSize * REPLICATION_FACTOR : pageSize;
    return Math.min(top ?? this.#play.pageDefault, max);
  }

  #bySkip({ table, given }: PlayedRequest, query: Query, size: number): PlayedPage {
    const { slots, hasMore } = this.#runner.page(query, size);
    const skip = String(query.options.skip + size);
    const next = hasMore ? linkOf(table.entity.name, given, "$skip", skip) : undefined;
    return { query, slots, next };
  }

  /** The link holds the last row's place in the order, so that edits of others move nothing. */
  #byToken({ table, given, isReplication }: PlayedRequest, query: Query, size: number): PlayedPage {
    const all = this.#runner.all(query);
    const name = TOKENS[this.#play.vendor] ?? "";
    const token = given.get(name);
    const place = token === undefined ? undefined : (JSON.parse(token) as readonly [number, Key]);
    const isAfter = (slot: number): boolean =>
      place === undefined ||
      ((isReplication ? table.time(slot) - place[0] : 0) ||
        compareKeys(table.key(slot), place[1])) > 0;
    const first = all.findIndex(isAfter);
    const start = first < 0 ? all.length : first;
    const slots = Array.from(all.subarray(start, start + size));
    const last = slots.at(-1);
    // An extra link to an empty last page is what these platforms do.
    const isOpen = last !== undefined && slots.length === size;
    const path = `${table.entity.name}${isReplication ? "/replication" : ""}`;
    const at = isOpen ? JSON.stringify([table.time(last), table.key(last)]) : "";
    return { query, slots, next: isOpen ? linkOf(path, given, name, at) : undefined };
  }

  #begin(query: Query, size: number): PlayedPage {
    const id = `sample-${this.#sessions.size + 1}`;
    const link = `${query.table.entity.name}/replication?id=${id}`;
    const slots = this.#runner.all(query).slice();
    this.#sessions.set(id, { query, slots, size, link, at: 0, usedMs: this.#state.clock.nowMs() });
    return this.#goOn(id);
  }

  /** Each call gives the next page, whatever became of the answer to the one before. */
  #goOn(id: string): PlayedPage {
    const session = this.#sessions.get(id);
    const now = this.#state.clock.nowMs();
    if (session === undefined || now - session.usedMs > SESSION_MS) {
      throw badRequest("The replication link has expired");
    }
    const { query, slots, size, link } = session;
    const page = slots.subarray(session.at, session.at + size);
    session.at += page.length;
    session.usedMs = now;
    const living = Array.from(page).filter((slot) => query.table.isServed(slot));
    return { query, slots: living, next: living.length === 0 ? undefined : link };
  }
}

function orderedBy(options: QueryOptions, table: Table, order: "time" | "key"): QueryOptions {
  const { entity } = table;
  const name = (order === "time" ? entity.timestamp : undefined) ?? entity.key ?? "";
  const property = findProperty(entity, name);
  if (property === undefined || options.orderBy.length > 0) {
    return options;
  }
  return { ...options, orderBy: [{ property, isDescending: false }], orderByText: name };
}

function linkOf(
  path: string,
  given: ReadonlyMap<string, string>,
  name: string,
  value: string,
): string {
  const kept = [...given].filter(([each]) => each !== name);
  const query = [...kept, [name, value] as const];
  const text = query.map(([each, of]) => `${each}=${encodeURIComponent(of)}`).join("&");
  return `${path}?${text}`;
}
