import { numberText } from "../../model/exact-number.ts";
import { SyncError } from "../../model/sync-error.ts";
import { rowsOf } from "./answers.ts";
import type { Answer, Call, Parameters, RestClient } from "./client.ts";
import type { ListAsk, ListPage, ListPlace } from "./list-page.ts";
import { pathOf, valueAt } from "./paths.ts";
import { positionalPages } from "./positions.ts";
import { isDeleted } from "./rows.ts";
import type { Paging, RestStream } from "./settings.ts";

/** The pages of a list from a place on. Throws PAGING_LOOP, CONNECTOR_BAD_RESPONSE. */
export async function* listPages(ask: ListAsk, from: ListPlace): AsyncGenerator<ListPage> {
  const { paging } = ask.stream;
  const pages =
    paging.style === "page" || paging.style === "offset"
      ? positionalPages(ask, paging, from)
      : linkedPages(ask, paging, from);
  for await (const page of pages) {
    yield { ...page, rows: page.rows.filter((row) => !isDeleted(ask.stream, row)) };
  }
}

type Linked = Exclude<Paging, { readonly style: "page" | "offset" }>;

async function* linkedPages(
  { client, stream, parameters, signal }: ListAsk,
  paging: Linked,
  from: ListPlace,
): AsyncGenerator<ListPage> {
  let place = from;
  const given = new Set<string>();
  while (place.at !== "end") {
    const token = place.at === "token" ? place.token : undefined;
    const call = { method: "GET", ...request(stream, paging, parameters, token) } as const;
    const answer = await client.ask(stream, call, signal);
    const rows = rowsOf(client, stream, answer);
    const found = nextOf(client, stream, paging, answer);
    if (token !== undefined) given.add(token);
    if (found !== undefined && given.has(found)) throw loop(stream);
    const next: ListPlace = found === undefined ? { at: "end" } : { at: "token", token: found };
    yield { rows, answer, next };
    place = next;
  }
}

function request(
  { list }: RestStream,
  paging: Linked,
  parameters: Parameters,
  token: string | undefined,
): { readonly path: string; readonly parameters: Parameters } {
  // A link of the server's has all that it needs.
  if (token !== undefined && paging.style !== "cursor") return { path: token, parameters: [] };
  const size = paging.style === "none" ? undefined : paging.size;
  return {
    path: list.path,
    parameters: [
      ...parameters,
      ...(size === undefined ? [] : [[size.parameter, String(size.value)] as const]),
      ...(token === undefined || paging.style !== "cursor"
        ? []
        : [[paging.parameter, token] as const]),
    ],
  };
}

function nextOf(
  client: RestClient,
  stream: RestStream,
  paging: Linked,
  answer: Answer,
): string | undefined {
  if (paging.style === "none") return undefined;
  const found =
    paging.style === "link" ? nextLink(answer.headers["link"] ?? "") : textAt(answer, paging.from);
  if (found === undefined || paging.style === "cursor") return found;
  return client.sealed(stream, new URL(found, answer.url).href);
}

/** The call for the list's first records, as few as can be asked for or a whole page. */
export function firstCall({ list, paging }: RestStream, size: "few" | "page"): Call {
  const sized = paging.style === "none" ? undefined : paging.size;
  const { parameter, value } = sized ?? {};
  return {
    method: "GET",
    path: list.path,
    parameters: [
      ...(paging.style === "page" ? [[paging.parameter, String(paging.first)] as const] : []),
      ...(parameter === undefined
        ? []
        : [[parameter, size === "few" ? "1" : String(value)] as const]),
    ],
  };
}

/** What stands in a header or at a path of the body; nothing for null, false and the empty text. */
function textAt({ headers, body }: Answer, from: string): string | undefined {
  const name = /^header:(.+)$/.exec(from)?.[1];
  const found = name === undefined ? valueAt(body, pathOf(from)) : headers[name.toLowerCase()];
  const text = typeof found === "string" ? found : numberText(found);
  return text === "" ? undefined : text;
}

/** The target of `rel="next"` in a Link header (RFC 8288). */
export function nextLink(header: string): string | undefined {
  for (const [, target = "", parameters = ""] of header.matchAll(
    /<([^>]*)>((?:[^,"]|"[^"]*")*)/g,
  )) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    const names = (relation?.[1] ?? relation?.[2] ?? "").toLowerCase().split(/\s+/);
    if (names.includes("next")) return target;
  }
  return undefined;
}

function loop({ name }: RestStream): SyncError {
  return new SyncError(
    "PAGING_LOOP",
    `The pages of stream "${name}" lead back to one that was read.`,
    { context: { stream: name } },
  );
}
