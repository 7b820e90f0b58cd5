import type { SampleMls } from "./index.ts";

/** An answer as a test wants to look at it. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A page with its rows; Decimal and Int64 values are texts. */
export interface TestPage {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly nextLink: string | undefined;
  readonly count: number | undefined;
  readonly context: string;
}

/** Fetches a path below the service root, or an absolute URL; spaces are encoded here. */
export async function get(
  mls: SampleMls,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  const url = path.startsWith("http") ? path : mls.url + path.replaceAll(" ", "%20");
  const authorization = { Authorization: `Bearer ${mls.token}` };
  const response = await fetch(url, { headers: { ...authorization, ...headers } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Fetches a page and fails when the answer is none. */
export async function getPage(mls: SampleMls, path: string): Promise<TestPage> {
  const answer = await get(mls, path);
  if (answer.status !== 200) {
    throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  }
  const body = parseExactly(answer.text) as Record<string, unknown>;
  return {
    rows: body["value"] as TestPage["rows"],
    nextLink: body["@odata.nextLink"] as string | undefined,
    count: body["@odata.count"] === undefined ? undefined : Number(body["@odata.count"]),
    context: String(body["@odata.context"]),
  };
}

/** Follows nextLinks to the end. */
export async function getAll(mls: SampleMls, path: string): Promise<TestPage["rows"]> {
  const rows: Readonly<Record<string, unknown>>[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: TestPage = await getPage(mls, next);
    rows.push(...page.rows);
    next = page.nextLink;
  }
  return rows;
}

type Reviver = (name: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Numbers that a double would change, or that have a point, become their texts. */
function parseExactly(text: string): unknown {
  // Members of arrays are coordinates, which are doubles.
  const reviver: Reviver = (name, value, context) =>
    typeof value === "number" && !/^\d+$/.test(name) && !/^-?\d{1,15}$/.test(context?.source ?? "")
      ? context?.source
      : value;
  return JSON.parse(text, reviver as (name: string, value: unknown) => unknown);
}
