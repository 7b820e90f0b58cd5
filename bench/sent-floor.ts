import pg from "pg";
import { createPostgresConnector } from "../src/connectors/postgres/connector.ts";
import { openPostgres } from "../src/drivers/postgres/database.ts";
import { parsePostgresUrl } from "../src/drivers/postgres/url.ts";
import type { RecordKey } from "../src/model/record.ts";
import type {
  Connector,
  StreamQuery,
  WriteOperation,
  WriteOutcome,
} from "../src/ports/connector.ts";

const BATCH = 500;

/** What it takes to send changes, and nothing else. */
export interface SentFloor {
  /** Changed records a second. */
  readonly perSecond: number;
  /** Processor time of this process for each, in microseconds; the databases take theirs besides. */
  readonly cpuMicros: number;
}

interface Sent {
  readonly connector: Connector;
  readonly query: StreamQuery;
  readonly operations: readonly WriteOperation[];
}

/**
 * One percent of each table, far apart, is updated by the connector as a run does it: where the row
 * is still what was expected, and told back as it stands then. Nothing is read from a home or kept
 * in one.
 */
export async function sentFloor(
  urls: readonly string[],
  step: number,
  first: number,
): Promise<SentFloor> {
  const signal = new AbortController().signal;
  const sides = await Promise.all(urls.map((url, at) => prepare(url, step, first + at, signal)));
  const before = process.cpuUsage();
  const begun = performance.now();
  let written = 0;
  for (let from = 0; sides.some(({ operations }) => from < operations.length); from += BATCH) {
    const outcomes = await Promise.all(
      sides.map(({ connector, query, operations }) =>
        write(connector, query, operations.slice(from, from + BATCH), signal),
      ),
    );
    written += outcomes.flat().filter(({ kind }) => kind === "written").length;
  }
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(before);
  await Promise.all(sides.map(({ connector }) => connector.close()));
  const sent = sides.reduce((sum, { operations }) => sum + operations.length, 0);
  if (written !== sent) throw new Error(`${written} of ${sent} changes were written`);
  return {
    perSecond: Math.round((written / ms) * 1000),
    cpuMicros: Math.round((user + system) / written),
  };
}

function write(
  connector: Connector,
  ...[query, operations, signal]: Parameters<NonNullable<Connector["write"]>>
): Promise<readonly WriteOutcome[]> {
  if (connector.write === undefined) throw new Error("the connector does not write");
  return connector.write(query, operations, signal);
}

async function prepare(
  url: string,
  step: number,
  rest: number,
  signal: AbortSignal,
): Promise<Sent> {
  const connector = createPostgresConnector({ database: openPostgres(parsePostgresUrl(url)) });
  const schema = (await connector.discover(signal)).find(({ name }) => name === "items");
  if (schema === undefined) throw new Error("there is no table items");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Those of capture; the tables are of no use afterwards.
  await client.query("ALTER TABLE items DISABLE TRIGGER USER");
  const { rows } = await client.query<{ sku: string; stock: number; version: string }>(
    `SELECT sku, stock, xmin::text AS version FROM items
     WHERE substr(sku, 5)::int % $1::int = $2::int ORDER BY sku`,
    [step, rest],
  );
  await client.end();
  const values = (stock: number): readonly (number | undefined)[] =>
    schema.fields.map(({ name }) => (name === "stock" ? stock : undefined));
  return {
    connector,
    query: { schema, digestSeed: 1 },
    operations: rows.map(({ sku, stock, version }) => ({
      kind: "update",
      id: sku,
      key: sku as RecordKey,
      expected: { values: values(stock), version },
      values: values(stock + 1),
    })),
  };
}
