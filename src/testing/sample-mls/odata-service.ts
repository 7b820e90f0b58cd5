import type { Answer } from "./answer.ts";
import { errorAnswer, jsonAnswer, textAnswer } from "./answer.ts";
import { metadataXml } from "./metadata-xml.ts";
import { findProperty } from "./model.ts";
import { PlayService } from "./play-service.ts";
import { playOf } from "./plays.ts";
import type { Query } from "./query.ts";
import { QueryRunner } from "./query.ts";
import type { QueryOptions } from "./query-options.ts";
import { checkQueryOptions, parseQueryString } from "./query-options.ts";
import { Renderer, renderPage } from "./render.ts";
import { badRequest, RequestError } from "./request-error.ts";
import type { ServerState } from "./server-state.ts";
import type { Table } from "./table.ts";
import { parseWireKey } from "./wire-key.ts";

/** A GET request below the service root. */
export interface ServiceRequest {
  /** Decoded, without the service root: `/Property(1)`. */
  readonly path: string;
  /** Raw, without the question mark. */
  readonly query: string;
  readonly prefer: string | undefined;
}

/** Overrides the nextLink of a page; it is given the request's own URL. */
export type NextLinkOverride = (self: string) => string;

/** Answers OData requests. It knows nothing of HTTP connections, tokens and faults. */
export class ODataService {
  readonly #state: ServerState;
  readonly #root: string;
  readonly #runner: QueryRunner;
  readonly #renderer: Renderer;
  readonly #player: PlayService | undefined;
  #metadata: string | undefined;

  /** `root` is the absolute URL of the service, without a slash at the end. */
  constructor(state: ServerState, root: string) {
    this.#state = state;
    this.#root = root;
    this.#runner = new QueryRunner(state.store.model.enums, state.behavior);
    this.#renderer = new Renderer(state.store, state.behavior);
    const play = playOf(state.store.data.plays);
    this.#player = play && new PlayService(play, state, this.#runner);
  }

  /** Throws `RequestError` for what is to be refused. */
  answer(request: ServiceRequest, override?: NextLinkOverride): Answer {
    if (request.path === "" || request.path === "/") {
      return this.#serviceDocument();
    }
    if (request.path === "/$metadata") {
      this.#metadata ??= metadataXml(this.#state.store.model, this.#state.store.data.lookupStyle);
      return textAnswer("application/xml;charset=utf-8", this.#metadata);
    }
    const [, set = "", key, rest] =
      /^\/(\w+)(?:\(((?:'(?:[^']|'')*'|[^')])+)\))?(?:\/([$\w]+))?$/.exec(request.path) ?? [];
    const isUnknown = this.#player !== undefined && set === "Deleted";
    if (!this.#state.store.has(set) || isUnknown) {
      throw new RequestError(404, `Resource '${request.path}' is not found`);
    }
    const table = this.#state.store.table(set);
    if (key !== undefined) {
      return this.#atKey(request, table, key, rest, override);
    }
    if (rest === "$count" && this.#state.behavior.countPath) {
      const count = this.#runner.count(this.#query(request, table));
      return textAnswer("text/plain", String(count));
    }
    const isReplication = rest === "replication";
    if (rest !== undefined && !(isReplication && this.#player !== undefined)) {
      throw new RequestError(404, `Resource '${request.path}' is not found`);
    }
    return this.#player === undefined
      ? this.#collection(request, this.#query(request, table), override)
      : this.#played(this.#player, request, table, isReplication, override);
  }

  #played(
    player: PlayService,
    request: ServiceRequest,
    table: Table,
    isReplication: boolean,
    override: NextLinkOverride | undefined,
  ): Answer {
    const given = parseQueryString(request.query);
    const { query, slots, next } = player.page({ table, given, isReplication });
    const { options } = query;
    const link = override?.(this.#url(request)) ?? (next && `${this.#root}/${next}`);
    const page = {
      context: contextOf(table, options),
      count: options.count ? this.#runner.count(query) : undefined,
      rows: this.#renderer.rows(table, slots, options),
      // One platform tells the next page in a header.
      nextLink: isReplication && this.#state.store.data.plays === "bridge" ? undefined : link,
    };
    const headers: Record<string, string> =
      page.nextLink === link || link === undefined ? {} : { Link: `<${link}>; rel="next"` };
    return jsonAnswer(200, renderPage(page, false), headers);
  }

  #serviceDocument(): Answer {
    const value = this.#state.store.model.entities
      .filter((entity) => !entity.isUndocumented)
      .map(({ name }) => ({ name, url: name }));
    return jsonAnswer(200, JSON.stringify({ "@odata.context": "$metadata", value }));
  }

  #query(request: ServiceRequest, table: Table, within?: readonly number[]): Query {
    const given = parseQueryString(request.query);
    const options = checkQueryOptions(given, table.entity, this.#state.behavior);
    const now = this.#state.clock.nowMs() * 1000;
    return within === undefined ? { table, options, now } : { table, options, now, within };
  }

  #atKey(
    request: ServiceRequest,
    table: Table,
    keyText: string,
    rest: string | undefined,
    override: NextLinkOverride | undefined,
  ): Answer {
    const slot = findRow(table, keyText);
    const navigation = table.entity.navigations.find(({ name }) => name === rest);
    if (rest !== undefined && navigation === undefined) {
      throw badRequest(`Unknown property '${rest}'`);
    }
    if (slot === undefined) {
      return this.#missing(table, keyText);
    }
    if (navigation !== undefined) {
      const target = this.#state.store.table(navigation.target);
      const within = this.#renderer.related(table, slot, navigation);
      return this.#collection(request, this.#query(request, target, within), override);
    }
    const { options } = this.#query(request, table);
    const [row = Buffer.from("{}")] = this.#renderer.rows(table, [slot], options);
    const context = JSON.stringify(`${contextOf(table, options)}/$entity`);
    const comma = row.length > 2 ? "," : "";
    const head = Buffer.from(`{"@odata.context":${context}${comma}`);
    return jsonAnswer(200, Buffer.concat([head, row.subarray(1)]));
  }

  #missing(table: Table, keyText: string): Answer {
    const { name } = table.entity;
    return this.#state.behavior.missing === "404"
      ? errorAnswer(404, `${name}(${keyText}) is not found`)
      : jsonAnswer(200, JSON.stringify({ "@odata.context": `$metadata#${name}`, value: [] }));
  }

  #collection(
    request: ServiceRequest,
    query: Query,
    override: NextLinkOverride | undefined,
  ): Answer {
    const { behavior } = this.#state;
    const { options, table } = query;
    const cap = options.expand.length === 0 ? behavior.pageSize : behavior.expandPageSize;
    const preferred = behavior.preferMaxPageSize ? maxPageSize(request.prefer) : undefined;
    const limit = Math.min(cap ?? behavior.pageSize, preferred ?? Number.POSITIVE_INFINITY);
    const size = Math.min(limit, options.top ?? limit);
    const page = this.#runner.page(query, size);
    const hasLink =
      (page.hasMore || (behavior.emptyLastPage && page.slots.length === size)) &&
      (options.top ?? Number.POSITIVE_INFINITY) > size;
    const nextLink = hasLink ? this.#nextLink(request, options, size) : undefined;
    const body = renderPage(
      {
        context: contextOf(table, options),
        count: options.count ? this.#runner.count(query) : undefined,
        rows: this.#renderer.rows(table, page.slots, options),
        nextLink: override?.(this.#url(request)) ?? nextLink,
      },
      behavior.nextLinkFirst,
    );
    const headers: Record<string, string> =
      preferred === undefined ? {} : { "Preference-Applied": `odata.maxpagesize=${limit}` };
    return jsonAnswer(200, body, headers);
  }

  #url(request: ServiceRequest): string {
    return `${this.#root}${request.path}${request.query === "" ? "" : `?${request.query}`}`;
  }

  #nextLink(request: ServiceRequest, options: QueryOptions, size: number): string {
    const { behavior } = this.#state;
    const dropped = new Set(["$skip", "$top"]);
    if (!behavior.nextLinkKeepsOrder) {
      dropped.add("$orderby");
    }
    if (!behavior.nextLinkKeepsFilter) {
      dropped.add("$filter");
    }
    const kept = [...parseQueryString(request.query)].filter(([name]) => !dropped.has(name));
    if (options.top !== undefined) {
      kept.push(["$top", String(options.top - size)]);
    }
    kept.push(["$skip", String(options.skip + size)]);
    const query = kept.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    const isRelative = behavior.nextLinkForm === "relative";
    const last = request.path.slice(request.path.lastIndexOf("/") + 1);
    return `${isRelative ? last : this.#root + request.path}?${query}`;
  }
}

function findRow(table: Table, keyText: string): number | undefined {
  const { entity } = table;
  const keyType = entity.key === undefined ? undefined : findProperty(entity, entity.key)?.type;
  const key = parseWireKey(keyText, entity.key ?? "");
  if (key === undefined || (typeof key === "number") !== (keyType === "Int32")) {
    throw badRequest(`'${keyText}' is not a key of ${entity.name}`);
  }
  const slot = table.find(key);
  return slot !== undefined && table.state(slot) === "visible" ? slot : undefined;
}

function contextOf(table: Table, options: QueryOptions): string {
  const names = options.select?.map((property) => property.name).join(",");
  return `$metadata#${table.entity.name}${names === undefined ? "" : `(${names})`}`;
}

function maxPageSize(prefer: string | undefined): number | undefined {
  const size = /(?:odata\.)?maxpagesize=(\d{1,9})/.exec(prefer ?? "")?.[1];
  return size === undefined || Number(size) === 0 ? undefined : Number(size);
}
