import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import v4 from "odata-v4-server";
import v4sql from "odata-v4-sql";

const { Edm, ODataController, ODataServer, odata } = v4;

/** What the library makes of a URL's options; it lists each of them twice. */
interface ParsedQuery {
  readonly value: { readonly options: readonly { readonly raw: string }[] };
}

/** Records in a page at most, whatever is asked for. */
const PAGE_MAX = 40;

/** A shop's stock in a SQLite database, behind an OData server that is not ours. */
export interface ForeignService {
  /** Service root. */
  readonly url: string;
  /** The data themselves; the table is `Items`. */
  readonly database: DatabaseSync;
  close(): Promise<void>;
}

/** Declares the type with the library's decorators, which are functions as others are. */
function declareItem(): typeof ODataController {
  class Item {}
  const { prototype } = Item;
  Edm.Key(prototype, "ItemKey");
  Edm.Int32(prototype, "ItemKey");
  Edm.String(prototype, "Name");
  Edm.Decimal(prototype, "Price");
  Edm.Double(prototype, "Weight");
  Edm.Boolean(prototype, "Sold");
  Edm.DateTimeOffset(prototype, "ModificationTimestamp");
  // Values are plain; the class only names their type.
  return Item as unknown as typeof ODataController;
}

/**
 * Starts `odata-v4-server` on loopback: it reads the URL and writes metadata and answers, and
 * `odata-v4-sql` turns `$filter`, `$orderby`, `$top` and `$select` into SQL. Ours is only that the
 * statement is carried out.
 */
export async function startForeignService(): Promise<ForeignService> {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE TABLE Items (ItemKey INTEGER PRIMARY KEY, Name TEXT, Price REAL, Weight REAL, Sold INTEGER, ModificationTimestamp TEXT)",
  );
  class ItemsController extends ODataController {
    find(query: ParsedQuery | undefined): unknown {
      return select(database, query);
    }
  }
  odata.type(declareItem())(ItemsController);
  odata.GET(ItemsController.prototype, "find");
  odata.query(ItemsController.prototype, "find", 0);
  class Service extends ODataServer {}
  odata.namespace("Shop")(Service);
  odata.controller(ItemsController, "Items")(Service);
  const server = Service.create("/odata", 0) as Server;
  await new Promise<void>((resolve) => server.once("listening", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/odata`,
    database,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        database.close();
      }),
  };
}

function select(database: DatabaseSync, query: ParsedQuery | undefined): unknown {
  const options = [...new Set(query?.value.options.map(({ raw }) => raw))].join("&");
  const sql =
    options === "" ? undefined : v4sql.createQuery(options, { useParameters: true, type: 0 });
  const where = sql?.where ?? "1 = 1";
  const order = sql?.orderby ?? "1";
  const limit = Math.min(sql?.limit ?? PAGE_MAX, PAGE_MAX);
  const values = [...(sql?.parameters.values() ?? [])].map(
    (value: unknown): SQLInputValue =>
      value instanceof Date ? value.toISOString() : (value as SQLInputValue),
  );
  const text = `SELECT ${sql?.select ?? "*"} FROM Items WHERE ${where} ORDER BY ${order} LIMIT ${limit} OFFSET ${sql?.skip ?? 0}`;
  const rows = database
    .prepare(text)
    .all(...values)
    .map(({ Sold, ...row }) => ({
      ...row,
      ...(Sold === undefined ? {} : { Sold: Sold === null ? null : Sold === 1 }),
    }));
  const count = database.prepare(`SELECT count(*) AS n FROM Items WHERE ${where}`).get(...values);
  return Object.assign(rows, { inlinecount: Number(count?.["n"]) });
}
