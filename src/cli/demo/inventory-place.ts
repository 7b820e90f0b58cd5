import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parse } from "csv-parse/sync";

/** A shop's database and a warehouse's file, as the people who work with them see them. */
export interface InventoryPlace {
  /** A clerk of the shop works on the database. */
  shop(statements: string): void;
  /** Somebody in the warehouse opens the file, changes lines and saves it. */
  warehouse(change: (lines: readonly string[]) => readonly string[]): void;
  /** Everything that both hold now, by SKU; read without Lockstep. */
  look(): InventoryLook;
}

export interface InventoryLook {
  readonly shop: ReadonlyMap<string, ShopRow>;
  readonly warehouse: ReadonlyMap<string, WarehouseRow>;
}

interface ShopRow {
  readonly name: string;
  readonly cents: number;
  readonly stock: number;
  readonly kilos: number;
  readonly status: string;
}

interface WarehouseRow {
  readonly title: string;
  readonly price: string;
  readonly onHand: string;
  readonly weight: string;
  readonly state: string;
}

const HEADER = "Item No,Title,Price,On hand,Weight,State,Bin";
const NAMES = [
  "Anvil",
  "Bell",
  "Chain",
  "Drum",
  "Easel",
  "Fiddle",
  "Globe",
  "Hammer",
  "Ink",
  "Jar",
];
const COMMON = 40;

/** Makes the folder anew with two systems that disagree in every way that matters. */
export function makeInventoryPlace(directory: string): InventoryPlace {
  mkdirSync(directory, { recursive: true });
  for (const name of [
    "shop.db",
    "warehouse.csv",
    "lockstep.db",
    "lockstep.db-wal",
    "lockstep.db-shm",
  ]) {
    rmSync(join(directory, name), { force: true });
  }
  const file = join(directory, "warehouse.csv");
  const withShop = <T>(act: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(join(directory, "shop.db"));
    try {
      return act(database);
    } finally {
      database.close();
    }
  };
  withShop((database) => database.exec(SHOP));
  withShop((database) => {
    for (const { sku, name, cents, stock, kilos } of commonItems()) {
      database
        .prepare("INSERT INTO product VALUES (?, ?, ?, ?, ?, 'A')")
        .run(sku, name, cents, stock, kilos);
    }
    database.exec(SHOP_DIFFERS);
  });
  const lines = commonItems().map(
    ({ sku, name, cents, stock, kilos }, at) =>
      `${sku},${name},${(cents / 100).toFixed(2)},${stock},${kilos},Active,R${at % 7}-${at % 3}`,
  );
  writeFileSync(file, [HEADER, ...warehouseDiffers(lines), ""].join("\n"));
  writeFileSync(join(directory, "lockstep.yaml"), CONFIG);
  return {
    shop: (statements) => withShop((database) => database.exec(statements)),
    warehouse: (change) => {
      const [header = "", ...rest] = readFileSync(file, "utf8").trimEnd().split("\n");
      writeFileSync(file, [header, ...change(rest), ""].join("\n"));
    },
    look: () => ({
      shop: withShop(
        (database) =>
          new Map(
            database
              .prepare("SELECT * FROM product ORDER BY sku")
              .all()
              .map(({ sku, ...row }) => [String(sku), row as unknown as ShopRow]),
          ),
      ),
      warehouse: new Map(
        (parse(readFileSync(file), { columns: true }) as Record<string, string>[]).map((row) => [
          row["Item No"] ?? "",
          {
            title: row["Title"] ?? "",
            price: row["Price"] ?? "",
            onHand: row["On hand"] ?? "",
            weight: row["Weight"] ?? "",
            state: row["State"] ?? "",
          },
        ]),
      ),
    }),
  };
}

function commonItems(): readonly {
  readonly sku: string;
  readonly name: string;
  readonly cents: number;
  readonly stock: number;
  readonly kilos: number;
}[] {
  return Array.from({ length: COMMON }, (_, at) => ({
    sku: `SKU-${at + 1}`,
    name: `${NAMES[at % NAMES.length]} No. ${1 + Math.floor(at / NAMES.length)}`,
    cents: 495 + at * 130,
    stock: (at * 7) % 23,
    kilos: ((at * 3) % 40) / 10,
  }));
}

/** The shop keeps cents, words of its own for a status, and one digit of a weight. */
const SHOP = `
  CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, name TEXT, cents INTEGER, stock INTEGER,
    kilos NUMERIC(8,3), status TEXT);
  CREATE TRIGGER one_digit AFTER UPDATE OF kilos ON product BEGIN
    UPDATE product SET kilos = round(NEW.kilos, 1) WHERE sku = NEW.sku; END;
  CREATE TRIGGER one_digit_new AFTER INSERT ON product BEGIN
    UPDATE product SET kilos = round(NEW.kilos, 1) WHERE sku = NEW.sku; END;
`;

const SHOP_DIFFERS = `
  UPDATE product SET cents = 1999 WHERE sku = 'SKU-7';
  UPDATE product SET stock = 0 WHERE sku IN ('SKU-3', 'SKU-4');
  UPDATE product SET name = 'BELL NO. 1' WHERE sku = 'SKU-2';
  INSERT INTO product VALUES ('SKU-41', 'Kite No. 5', 2500, 4, 0.2, 'A');
  INSERT INTO product VALUES ('SKU-42', 'Lamp No. 5', 3900, 1, 1.5, 'I');
`;

function warehouseDiffers(lines: readonly string[]): readonly string[] {
  return [
    ...lines.map((line) => {
      if (line.startsWith("SKU-5,")) return line.replace("Easel No. 1", '"  Easel No. 1 "');
      if (line.startsWith("SKU-6,")) return line.replace(",1.5,Active", ",1.475,Active");
      return line;
    }),
    "007,Spy glass,70,7,0.7,Active,R0-0",
    "SKU-50,Mirror No. 6,45.00,2,3.125,Active,R1-1",
    // Somebody entered it twice.
    "SKU-9,Ink (old entry),1.00,1,0.1,Active,R9-9",
  ];
}

const CONFIG = `# Written by \`lockstep demo inventory\`.
home: sqlite:./lockstep.db

systems:
  shopdb: { connector: sqlite, path: ./shop.db }
  sheet: { connector: file, path: ./warehouse.csv, key: Item No }

syncs:
  inventory:
    sides:
      shop:
        system: shopdb
        stream: product
        fields:
          price: { field: cents, scale: 0.01 }
          weight: kilos
          status: { table: { A: Active, I: Inactive } }
      warehouse:
        system: sheet
        stream: warehouse
        fields: { sku: Item No, name: Title, price: Price, stock: On hand, weight: Weight, status: State }
    match: sku
    fields:
      sku:
      name: { type: text, compare: { trim: true, ignoreCase: true } }
      price: { type: decimal, policy: { prefer: shop } }
      stock: { type: integer, policy: { prefer: warehouse } }
      weight: { type: decimal, policy: { prefer: warehouse } }
      status: { type: text }
    # What no policy of a field decides waits for a person.
    policy: review
`;

/** What differs between the two, in words; by the meaning of the columns, without Lockstep. */
export function differencesOf({ shop, warehouse }: InventoryLook): readonly string[] {
  const skus = [...new Set([...shop.keys(), ...warehouse.keys()])].sort();
  return skus.flatMap((sku): string[] => {
    const own = shop.get(sku);
    const other = warehouse.get(sku);
    if (own === undefined) return [`${sku} is not in the shop`];
    if (other === undefined) return [`${sku} is not in the warehouse`];
    const differs: readonly (readonly [string, boolean])[] = [
      ["name", own.name.trim().toLowerCase() !== other.title.trim().toLowerCase()],
      ["price", own.cents !== Math.round(Number(other.price) * 100)],
      ["stock", own.stock !== Number(other.onHand)],
      ["weight", Math.abs(own.kilos - Number(other.weight)) > 0.05 + 1e-9],
      ["status", (own.status === "A" ? "Active" : "Inactive") !== other.state],
    ];
    return differs.flatMap(([field, is]) => (is ? [`${sku}: ${field}`] : []));
  });
}
