import assert from "node:assert/strict";
import test from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { serveOdata, type TestAnswer, type TestRequest } from "../../testing/scripted-odata.ts";
import { odataConfigSchema } from "./config.ts";

const never = new AbortController().signal;
const DAWN = '{"v":1,"kind":"changes","time":"2000-01-01T00:00:00Z","key":null}' as Cursor;

interface Row {
  readonly Id: number;
  Changed: string;
  readonly Name?: string;
}

const rowsOf = (count: number, tie = 1): Row[] =>
  Array.from({ length: count }, (_, index) => ({
    Id: index + 1,
    Changed: `2025-01-01T00:00:${String(Math.floor(index / tie)).padStart(2, "0")}Z`,
  }));

const walk = (schema: StreamSchema, after: Cursor | null = null): ReadRequest => ({
  kind: "walk",
  query: { schema },
  after,
  projection: "record",
});
const changes = (schema: StreamSchema, since = DAWN, overlapMs = 0): ReadRequest => ({
  kind: "changes",
  query: { schema },
  since,
  overlapMs,
});

async function pagesOf(connector: Connector, request: ReadRequest): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, never)) pages.push(page);
  return pages;
}

const idsOf = (pages: readonly Page[]): readonly number[] =>
  pages.flatMap((page) => page.records.map((record) => Number(record.key)));

const isCode =
  (code: string, message = /./) =>
  (error: SyncError): boolean => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };

const refused: TestAnswer = { status: 400, body: { error: { message: "Not supported" } } };

/** Bridge's way: no order, no keyset; opaque next links in the body or in a header, oldest first. */
function tokenServer(rows: Row[], size: number, link: "body" | "header") {
  return ({ options, root }: TestRequest): TestAnswer => {
    const [, from = "0"] = /^Changed ge (.*)$/.exec(options.get("$filter") ?? "") ?? [];
    const isPair = (options.get("$orderby") ?? "").includes(",");
    if (isPair || (options.has("$filter") && from === "0")) return refused;
    const token = options.get("$skiptoken");
    const after = token === null ? `${from}|0` : token;
    const place = (row: Row): string => `${row.Changed}|${String(row.Id).padStart(6, "0")}`;
    const sorted = rows
      .map((row) => ({ row, at: place(row) }))
      .sort((a, b) => (a.at < b.at ? -1 : 1));
    const left = sorted.filter(({ at }) => (token === null ? at >= after : at > after));
    const page = left.slice(0, size);
    const next =
      left.length > size
        ? `${root}/Things?$skiptoken=${encodeURIComponent(page.at(-1)?.at ?? "")}`
        : undefined;
    const value = page.map(({ row }) => row);
    if (link === "body") return { body: { "@odata.nextLink": next, value } };
    return {
      body: { value },
      headers: next === undefined ? {} : { link: `<${next}>; rel="next"` },
    };
  };
}

for (const link of ["body", "header"] as const) {
  test(`opaque next links in the ${link} are followed where nothing else is supported`, async (t) => {
    const rows = rowsOf(95, 40);
    const { connector, schema, notes } = await serveOdata(t, tokenServer(rows, 10, link));
    const ids = rows.map((row) => row.Id);
    // The refused keyset gave a page before it was known to be refused.
    assert.deepEqual([...new Set(idsOf(await pagesOf(connector, walk(schema))))], ids);
    assert.deepEqual(idsOf(await pagesOf(connector, walk(schema))), ids);
    const pages = await pagesOf(connector, changes(schema));
    assert.deepEqual(idsOf(pages), ids);
    assert.match(notes.get("ways:Things") ?? "", /"feed":"link"/);
    // Resuming at any page edge repeats at most the tie that it stands in, and skips nothing.
    for (const [index, page] of pages.entries()) {
      const rest = idsOf(await pagesOf(connector, changes(schema, page.cursor)));
      const missing = ids.slice((index + 1) * 10).filter((id) => !rest.includes(id));
      assert.deepEqual(missing, []);
    }
  });
}

test("the probe finds next links that keep their order without offsets", async (t) => {
  const service = await serveOdata(t, tokenServer(rowsOf(30), 5, "body"), { probe: "auto" });
  await service.connector.head({ schema: service.schema }, never);
  const probe = JSON.parse(service.notes.get("probe") ?? "{}");
  assert.equal(probe.compositeOrder, false);
  assert.equal(probe.nextLink, "keeps");
  const before = service.requests.length;
  await service.connector.head({ schema: service.schema }, never);
  assert.ok(service.requests.length - before < 5, "the probe ran twice");
});

test("edits during a read by next links lose nothing", async (t) => {
  const rows = rowsOf(40);
  const { connector, schema } = await serveOdata(t, tokenServer(rows, 5, "body"));
  const seen = new Map<number, string | undefined>();
  let clock = 0;
  for await (const page of connector.read(changes(schema), never)) {
    for (const { key, modifiedAt } of page.records) seen.set(Number(key), modifiedAt);
    if (clock < 5) {
      clock += 1;
      for (const row of rows.slice(0, 7)) row.Changed = `2025-01-01T00:01:0${clock}Z`;
    }
  }
  for (const row of rows) assert.equal(seen.get(row.Id), row.Changed);
});

test("requests carry the token, the accepted type and the preferred page size", async (t) => {
  const service = await serveOdata(t, () => ({ body: { value: [] } }), { pageSize: 25 });
  await pagesOf(service.connector, walk(service.schema));
  const [request] = service.requests;
  assert.equal(request?.headers["authorization"], "Bearer the-token");
  assert.equal(request?.headers["accept"], "application/json");
  assert.equal(request?.headers["prefer"], "odata.maxpagesize=25");
  assert.equal(request?.options.get("$orderby"), "Id asc");
  assert.equal(request?.options.get("$skip"), null);
});

test("a server that refuses a large $top is asked without", async (t) => {
  const rows = rowsOf(12);
  const service = await serveOdata(
    t,
    ({ options }) => {
      if (options.has("$top")) return refused;
      const after = Number(/Id gt (\d+)/.exec(options.get("$filter") ?? "")?.[1] ?? 0);
      return { body: { value: rows.filter((row) => row.Id > after).slice(0, 5) } };
    },
    { pageSize: 1000 },
  );
  assert.equal(idsOf(await pagesOf(service.connector, walk(service.schema))).length, 12);
  assert.equal(service.requests.filter(({ options }) => options.has("$top")).length, 1);
});

test("an order or filter that is ignored is found out", async (t) => {
  const rows = rowsOf(20);
  const firstPage = { value: rows.slice(0, 10) };
  const ignoring = await serveOdata(t, () => ({ body: firstPage }), { paging: "keyset" });
  await assert.rejects(
    pagesOf(ignoring.connector, walk(ignoring.schema)),
    isCode("CONNECTOR_BAD_RESPONSE", /cannot be trusted/),
  );
  await assert.rejects(
    pagesOf(ignoring.connector, changes(ignoring.schema)),
    isCode("CONNECTOR_BAD_RESPONSE", /cannot be trusted/),
  );
  const reversed = await serveOdata(t, () => ({ body: { value: rows.toReversed() } }), {
    paging: "keyset",
  });
  await assert.rejects(
    pagesOf(reversed.connector, walk(reversed.schema)),
    isCode("CONNECTOR_BAD_RESPONSE", /order of the key/),
  );
});

test("a server that compares times more finely than it writes them is found out", async (t) => {
  // All rows show one time; `eq` never matches and `gt` always does.
  const rows = rowsOf(9, 9);
  const service = await serveOdata(t, () => ({ body: { value: rows.slice(0, 3) } }), {
    paging: "keyset",
  });
  await assert.rejects(
    pagesOf(service.connector, changes(service.schema)),
    isCode("CONNECTOR_BAD_RESPONSE", /ends where the one before it ended/),
  );
});

test("pages that stay empty without end are refused", async (t) => {
  let page = 0;
  const service = await serveOdata(t, ({ root }) => {
    page += 1;
    return { body: { value: [], "@odata.nextLink": `${root}/Things?$skiptoken=${page}` } };
  });
  await assert.rejects(pagesOf(service.connector, walk(service.schema)), isCode("PAGING_LOOP"));
});

test("a foreign or odd next link matters only where it would be followed", async (t) => {
  const answer = (rows: readonly Row[]) => () => ({
    body: { value: rows, "@odata.nextLink": "https://evil.example/Things" },
  });
  const empty = await serveOdata(t, answer([]));
  await assert.rejects(
    pagesOf(empty.connector, walk(empty.schema)),
    isCode("PAGING_FOREIGN_ORIGIN", /"https:\/\/evil\.example"/),
  );
  const odd = await serveOdata(t, () => ({ body: { value: [], "@odata.nextLink": 7 } }));
  await assert.rejects(pagesOf(odd.connector, walk(odd.schema)), isCode("CONNECTOR_BAD_RESPONSE"));
});

test("a link saved for later that has gone stale starts the walk again", async (t) => {
  const rows = rowsOf(12);
  let isStale = false;
  const serve = tokenServer(rows, 5, "body");
  const service = await serveOdata(
    t,
    (request) => {
      if (!isStale || !request.options.has("$skiptoken")) return serve(request);
      isStale = false;
      return refused;
    },
    { paging: "next-link" },
  );
  const [first] = await pagesOf(service.connector, walk(service.schema));
  assert.ok(first);
  isStale = true;
  const again = await pagesOf(service.connector, walk(service.schema, first.cursor));
  assert.deepEqual(
    idsOf(again),
    rows.map((row) => row.Id),
  );
  const rest = await pagesOf(service.connector, walk(service.schema, first.cursor));
  assert.equal(idsOf(rest).length, 7);
});

test("a token that a server puts into its links is not stored", async (t) => {
  const rows = rowsOf(4);
  const service = await serveOdata(
    t,
    ({ options, root }) =>
      options.get("access_token") === "the-token"
        ? { body: { value: rows.slice(2) } }
        : {
            body: {
              value: rows.slice(0, 2),
              "@odata.nextLink": `${root}/Things?access_token=the-token`,
            },
          },
    { paging: "next-link" },
  );
  const pages = await pagesOf(service.connector, walk(service.schema));
  assert.deepEqual(idsOf(pages), [1, 2, 3, 4]);
  const [first] = pages;
  assert.ok(first && !first.cursor.includes("the-token"));
  assert.deepEqual(
    idsOf(await pagesOf(service.connector, walk(service.schema, first.cursor))),
    [3, 4],
  );
});

test("entries that are no records are bad, and their neighbours are read", async (t) => {
  const value = [{ Id: 1, Changed: null }, 7, null, "x", [], { Id: null }, { Id: "2", Name: 5 }];
  const service = await serveOdata(t, ({ options }) => ({
    body: { value: options.has("$filter") ? [] : value },
  }));
  const [page] = await pagesOf(service.connector, walk(service.schema));
  assert.deepEqual(idsOf(page ? [page] : []), [1]);
  assert.deepEqual(
    page?.bad.map(({ key, problems, image }) => [key, problems[0]?.code, image]),
    [
      [undefined, "RECORD_NOT_OBJECT", "7"],
      [undefined, "RECORD_NOT_OBJECT", "null"],
      [undefined, "RECORD_NOT_OBJECT", '"x"'],
      [undefined, "RECORD_NOT_OBJECT", "[]"],
      [undefined, "RECORD_KEY_MISSING", '{"Id":null}'],
      ["2", "RECORD_TYPE_MISMATCH", '{"Id":"2","Name":5}'],
    ],
  );
});

test("a record stamped in the future does not hide what changes until then", async (t) => {
  const rows = [...rowsOf(3), { Id: 4, Changed: "2999-01-01T00:00:00Z" }];
  const service = await serveOdata(t, ({ options }) => {
    const isDescending = (options.get("$orderby") ?? "").includes("desc");
    const hasFilter = (options.get("$filter") ?? "").includes(" eq 2999");
    return { body: { value: hasFilter ? [] : isDescending ? [rows[3]] : rows } };
  });
  const { changes: head } = await service.connector.head({ schema: service.schema }, never);
  const pages = await pagesOf(service.connector, changes(service.schema));
  for (const cursor of [head, pages.at(-1)?.cursor]) {
    assert.ok(cursor);
    assert.ok(Date.parse(JSON.parse(cursor).time) <= Date.now());
  }
  assert.deepEqual(idsOf(pages), [1, 2, 3, 4]);
});

test("the head of an empty set stands at the server's clock, never at ours", async (t) => {
  const date = "Wed, 01 Jan 2020 12:00:00 GMT";
  const service = await serveOdata(t, () => ({
    body: { value: [], "@odata.count": 0 },
    headers: { date },
  }));
  const head = await service.connector.head({ schema: service.schema }, never);
  assert.equal(head.count, 0);
  assert.equal(JSON.parse(head.changes ?? "").time, "2020-01-01T11:59:00Z");
});

test("nulls that a server sorts first do not hide the newest time", async (t) => {
  const service = await serveOdata(t, ({ options }) => {
    const row = { Id: 1, Changed: options.has("$filter") ? "2025-01-01T00:00:00Z" : null };
    return { body: { value: [row] } };
  });
  const head = await service.connector.head({ schema: service.schema }, never);
  assert.equal(JSON.parse(head.changes ?? "").time, "2025-01-01T00:00:00Z");
});

test("the count comes by path where it does not come inline", async (t) => {
  const service = await serveOdata(t, ({ path }) =>
    path === "/Things/$count" ? { body: "1731072" } : { body: { value: rowsOf(1) } },
  );
  const { count } = await service.connector.head({ schema: service.schema }, never);
  assert.equal(count, 1_731_072);
});

test("a server that cuts a key list short does not make records look deleted", async (t) => {
  const rows = rowsOf(9);
  const service = await serveOdata(t, ({ options }) => {
    const asked = [...(options.get("$filter") ?? "").matchAll(/Id eq (\d+)/g)].map(([, id]) =>
      Number(id),
    );
    return { body: { value: rows.filter((row) => asked.includes(row.Id)).slice(0, 2) } };
  });
  const keys = ["1", "2", "3", "4", "5", "99"] as unknown as readonly RecordKey[];
  const request = { kind: "keys", query: { schema: service.schema }, keys } as const;
  assert.deepEqual(idsOf(await pagesOf(service.connector, request)), [1, 2, 3, 4, 5]);
});

const BAD_CURSORS: readonly string[] = [
  "",
  "null",
  "{}",
  '{"v":2,"kind":"changes","time":"2025-01-01T00:00:00Z","key":null}',
  '{"v":1,"kind":"changes","time":"2025-01-01","key":null}',
  '{"v":1,"kind":"changes","time":"2025-01-01T00:00:00Z"}',
  '{"v":1,"kind":"deletions","time":"2025-01-01T00:00:00Z","key":null}',
  '{"v":1,"kind":"walk","key":[]}',
];

test("cursors that cannot be read are refused", async (t) => {
  const service = await serveOdata(t, () => ({ body: { value: [] } }));
  for (const cursor of BAD_CURSORS) {
    const since = changes(service.schema, cursor as Cursor);
    await assert.rejects(pagesOf(service.connector, since), isCode("CURSOR_INVALID"), cursor);
    const after = walk(service.schema, cursor as Cursor);
    await assert.rejects(pagesOf(service.connector, after), isCode("CURSOR_INVALID"), cursor);
  }
  assert.equal(service.requests.length, 0);
});

test("an error in the body of a success is one, also beside records", async (t) => {
  for (const body of [
    { error: { message: "Try the-token later" } },
    { value: [], error: { message: "Broke off" } },
    { message: "No" },
  ]) {
    const service = await serveOdata(t, () => ({ body }));
    await assert.rejects(pagesOf(service.connector, walk(service.schema)), (error: SyncError) => {
      assert.equal(error.code, "CONNECTOR_ERROR_BODY");
      assert.ok(!error.message.includes("the-token"));
      return true;
    });
  }
});

test("the configuration takes safe addresses only", () => {
  const isGood = (url: string): boolean => odataConfigSchema.safeParse({ url }).success;
  assert.deepEqual(
    [
      "https://mls.example/odata",
      "http://127.0.0.1:8080/odata",
      "http://mls.example/odata",
      "https://me:pw@mls.example/odata",
      "https://mls.example/odata?key=1",
      "ftp://mls.example",
      "mls.example",
    ].map(isGood),
    [true, true, false, false, false, false, false],
  );
  assert.equal(
    odataConfigSchema.safeParse({ url: "https://x.example", pagesize: 5 }).success,
    false,
  );
});
