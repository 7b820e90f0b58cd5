import assert from "node:assert/strict";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { ValueType } from "../../model/value.ts";
import type { SchemaChange } from "../../ports/destination.ts";
import {
  type Behaviour,
  batch,
  DECIMAL,
  field,
  INT16,
  INT32,
  INT64,
  key,
  LISTING,
  listing,
  rejected,
  row,
  seed,
  streamOf,
  TEXT,
  TIMESTAMP,
  tableOf,
  valuesOf,
} from "./subject.ts";

const kinds = (changes: readonly SchemaChange[]): readonly string[] =>
  changes.map(({ kind, field: name }) => (name === undefined ? kind : `${kind} ${name}`));

const keyed = (...fields: readonly ReturnType<typeof field>[]): StreamSchema =>
  streamOf([field("Id", TEXT), ...fields]);

export function tableBehaviours(behaviour: Behaviour): void {
  making(behaviour);
  naming(behaviour);
  growing(behaviour);
  changingTypes(behaviour);
}

function making(behaviour: Behaviour): void {
  const table = tableOf(LISTING);

  behaviour("a table is planned, made once, and then fits", async ({ destination }) => {
    assert.deepEqual(kinds(await destination.plan(table)), ["create-table"]);
    assert.deepEqual(kinds(await destination.plan(table)), ["create-table"]);
    const [made] = await destination.prepare(table);
    assert.equal(made?.kind, "create-table");
    assert.equal(made.table, "Property");
    assert.match(made.description, /Property/);
    assert.deepEqual(await destination.plan(table), []);
    assert.deepEqual(await destination.prepare(table), []);
  });

  behaviour("a table that does not exist has no rows", async ({ destination }) => {
    assert.equal(await destination.count(table), 0);
    assert.equal((await destination.marks(table, [key("a")])).size, 0);
    assert.equal((await destination.load(table, [key("a")])).size, 0);
    assert.deepEqual(await destination.scan(table, null, 10), []);
    assert.deepEqual(await destination.scanKeys(table, null, 10), []);
    assert.deepEqual(await destination.find(table, "ListPrice", "1", 10), []);
  });

  behaviour("another sync's or stream's table is refused", async ({ destination }) => {
    await seed(destination, table, [listing("a")]);
    const others = [
      { ...table, sync: "other" },
      tableOf({ ...LISTING, name: "Member" }, { table: "Property" }),
      { ...table, sync: "other", table: "PROPERTY", naming: "snake_case" as const },
    ];
    for (const other of others.slice(0, 2)) {
      await rejected(destination.plan(other), "DESTINATION_FOREIGN_TABLE");
      const error = await rejected(destination.prepare(other), "DESTINATION_FOREIGN_TABLE");
      assert.match(error.message, /Property/);
      await rejected(destination.count(other), "DESTINATION_FOREIGN_TABLE");
    }
    assert.equal(await destination.count(table), 1);
  });

  behaviour("rows and tables outlive the destination", async (subject, context) => {
    if (subject.reopen === undefined) return context.skip("it cannot be opened again");
    await seed(subject.destination, table, [listing("a")]);
    const reopened = await subject.reopen();
    assert.deepEqual(await reopened.prepare(table), []);
    assert.equal(await reopened.count(table), 1);
  });

  behaviour("a backup says where it is and changes nothing", async ({ destination }) => {
    await seed(destination, table, [listing("a")]);
    const missing = tableOf({ ...LISTING, name: "Missing" });
    const first = await destination.backup([table, missing], "before sweep");
    assert.notEqual(first, "");
    assert.equal(await destination.count(table), 1);
    await destination.write(batch(table, { upserts: [listing("b")] }));
    assert.equal(await destination.count(table), 2);
  });

  behaviour("closing twice is closing once", async ({ destination }) => {
    assert.notEqual(destination.location, "");
    await destination.close();
    await destination.close();
  });
}

function naming(behaviour: Behaviour): void {
  behaviour("fields that differ only in case are both kept", async ({ destination }) => {
    for (const style of ["source", "snake_case"] as const) {
      const names = [
        "ListPrice",
        "listprice",
        "LISTPRICE",
        "List_Price",
        "list price",
        "List-Price",
      ];
      const schema = keyed(...names.map((name) => field(name, TEXT)));
      const table = tableOf(schema, { naming: style, table: `Of ${style}` });
      const values: Values = ["a", ...names];
      await seed(destination, table, [row("a", values)]);
      assert.deepEqual(await valuesOf(destination, table, "a"), values);
      const turned = { ...schema, fields: schema.fields.toReversed() };
      const turnedTable = tableOf(turned, { naming: style, table: `Of ${style}` });
      assert.deepEqual(await destination.prepare(turnedTable), []);
      assert.deepEqual(await valuesOf(destination, turnedTable, "a"), values.toReversed());
    }
  });

  behaviour("names are data, whatever they spell", async ({ destination }) => {
    const names = [
      'x"; DROP TABLE Property; --',
      "it's",
      "select",
      "line\nbreak",
      "é 🏠",
      "rowid",
      "_lockstep_hash",
      "[a]",
      "`b`",
      "?1",
      ":name",
      "$3",
      "100%",
      "",
    ];
    const table = tableOf(keyed(...names.map((name) => field(name, TEXT))), {
      table: 'Pro"perty; DROP TABLE x',
      indexes: names,
    });
    const values: Values = ["a", ...names];
    await seed(destination, table, [row("a", values)]);
    assert.deepEqual(await valuesOf(destination, table, "a"), values);
    for (const name of names) {
      assert.equal((await destination.find(table, name, name, 5)).length, 1, name);
    }
    await destination.write(batch(table, { upserts: [row("a", ["a", "new"])], deletes: [] }));
    assert.deepEqual(await valuesOf(destination, table, "a"), ["a", "new", ...names.slice(1)]);
  });

  behaviour("a table of 600 columns works", async ({ destination }) => {
    const fields = Array.from({ length: 600 }, (_, index) => field(`Field${index}`, TEXT));
    const table = tableOf(keyed(...fields));
    const values: Values = ["a", ...fields.map(({ name }) => name)];
    await seed(destination, table, [row("a", values)]);
    assert.deepEqual(await valuesOf(destination, table, "a"), values);
  });
}

function growing(behaviour: Behaviour): void {
  const before = keyed(field("A", TEXT));
  const after = keyed(field("New", DECIMAL), field("A", TEXT));

  behaviour("evolve: a new field gets a column, old rows have null", async ({ destination }) => {
    await seed(destination, tableOf(before), [row("a", ["a", "x"])]);
    const grown = tableOf(after);
    assert.deepEqual(kinds(await destination.plan(grown)), ["add-column New"]);
    assert.deepEqual(await destination.plan(tableOf(before)), []);
    assert.deepEqual(kinds(await destination.prepare(grown)), ["add-column New"]);
    assert.deepEqual(await destination.prepare(grown), []);
    assert.deepEqual(await valuesOf(destination, grown, "a"), ["a", null, "x"]);
    await destination.write(batch(grown, { upserts: [row("a", ["a", "1.5", "y"])] }));
    assert.deepEqual(await valuesOf(destination, grown, "a"), ["a", "1.5", "y"]);
  });

  behaviour("ignore: a new field is told of every time and reads null", async ({ destination }) => {
    await seed(destination, tableOf(before), [row("a", ["a", "x"])]);
    const grown = tableOf(after, { drift: "ignore" });
    for (let count = 0; count < 2; count += 1) {
      assert.deepEqual(kinds(await destination.plan(grown)), ["ignored-field New"]);
      assert.deepEqual(kinds(await destination.prepare(grown)), ["ignored-field New"]);
    }
    await destination.write(batch(grown, { upserts: [row("b", ["b", "1.5", "y"])] }));
    assert.deepEqual(await valuesOf(destination, grown, "b"), ["b", null, "y"]);
    assert.deepEqual(await destination.find(grown, "New", "1.5", 5), []);
    const evolving = tableOf(after);
    assert.deepEqual(kinds(await destination.prepare(evolving)), ["add-column New"]);
  });

  behaviour("halt: a new field stops, and nothing is changed", async ({ destination }) => {
    await seed(destination, tableOf(before), [row("a", ["a", "x"])]);
    const halting = tableOf(after, { drift: "halt" });
    const error = await rejected(destination.plan(halting), "DRIFT_HALTED");
    assert.match(error.message, /"New"/);
    assert.deepEqual(error.details["fields"], ["New"]);
    await rejected(destination.prepare(halting), "DRIFT_HALTED");
    assert.deepEqual(await destination.plan(tableOf(before)), []);
  });

  behaviour("a vanished field keeps its column and its values", async ({ destination }) => {
    await seed(destination, tableOf(after), [row("a", ["a", "1.5", "x"])]);
    const shrunk = tableOf(before, { drift: "halt" });
    assert.deepEqual(kinds(await destination.prepare(shrunk)), ["vanished-field New"]);
    assert.deepEqual(await destination.prepare(shrunk), []);
    await destination.write(batch(shrunk, { upserts: [row("a", ["a", "y"])] }));
    assert.deepEqual(await valuesOf(destination, shrunk, "a"), ["a", "y"]);
    const back = tableOf(after, { drift: "halt" });
    assert.deepEqual(await destination.prepare(back), []);
    assert.deepEqual(await valuesOf(destination, back, "a"), ["a", "1.5", "y"]);
    assert.deepEqual(kinds(await destination.prepare(shrunk)), ["vanished-field New"]);
  });
}

const WIDER: readonly (readonly [
  from: ValueType,
  old: Values[0],
  to: ValueType,
  next: Values[0],
])[] = [
  [INT16, 5, INT32, 100_000],
  [{ kind: "text", maxLength: 5 }, "abc", TEXT, "x".repeat(500)],
  [{ kind: "decimal", precision: 5, scale: 2 }, "1.5", DECIMAL, "1234567890.12"],
  [INT16, 5, DECIMAL, "5.25"],
];

const NARROWER: readonly (readonly [from: ValueType, to: ValueType])[] = [
  [INT64, INT32],
  [TEXT, INT32],
  [TIMESTAMP, { kind: "date" }],
  [{ kind: "double" }, DECIMAL],
  [DECIMAL, INT64],
  [{ kind: "list", of: TEXT, ordered: false }, TEXT],
  [{ kind: "boolean" }, INT16],
];

function changingTypes(behaviour: Behaviour): void {
  behaviour("a wider type is followed and holds its values", async ({ destination }) => {
    for (const [index, [from, old, to, next]] of WIDER.entries()) {
      const options = { table: `Table${index}` };
      await seed(destination, tableOf(keyed(field("F", from)), options), [row("a", ["a", old])]);
      const wider = tableOf(keyed(field("F", to)), options);
      await rejected(destination.prepare({ ...wider, drift: "halt" }), "DRIFT_HALTED");
      assert.deepEqual(kinds(await destination.prepare(wider)), ["widen-column F"]);
      assert.deepEqual(await destination.prepare(wider), []);
      await destination.write(batch(wider, { upserts: [row("b", ["b", next])] }));
      assert.deepEqual(await valuesOf(destination, wider, "b"), ["b", next]);
      const kept = (await valuesOf(destination, wider, "a"))?.[1];
      assert.equal(String(kept), String(old));
    }
  });

  behaviour("an integer key may grow to 64 bits", async ({ destination }) => {
    const narrow = streamOf([field("Id", INT32), field("A", TEXT)]);
    await seed(destination, tableOf(narrow), [row("7", [7, "x"])]);
    const wide = tableOf(streamOf([field("Id", INT64), field("A", TEXT)]));
    assert.deepEqual(kinds(await destination.prepare(wide)), ["widen-column Id"]);
    const upserts = [row("9007199254740993", ["9007199254740993", "y"])];
    await destination.write(batch(wide, { upserts }));
    assert.deepEqual(await valuesOf(destination, wide, "7"), ["7", "x"]);
    assert.equal((await destination.marks(wide, [key("9007199254740993")])).size, 1);
  });

  behaviour("a smaller declared length or precision is no change", async ({ destination }) => {
    const large = keyed(field("T", { kind: "text", maxLength: 50 }), field("D", DECIMAL));
    const small = keyed(
      field("T", { kind: "text", maxLength: 5 }),
      field("D", { kind: "decimal", precision: 5, scale: 2 }),
    );
    await seed(destination, tableOf(large), [row("a", ["a", "longer than five", "1234567.5"])]);
    assert.deepEqual(await destination.prepare(tableOf(small, { drift: "halt" })), []);
  });

  behaviour("a narrower type stops under every policy", async ({ destination }) => {
    for (const [index, [from, to]] of NARROWER.entries()) {
      const options = { table: `Table${index}` };
      await destination.prepare(tableOf(keyed(field("F", from)), options));
      for (const drift of ["evolve", "ignore", "halt"] as const) {
        const changed = tableOf(keyed(field("F", to), field("Also", TEXT)), { ...options, drift });
        const error = await rejected(destination.prepare(changed), "DRIFT_NARROWED");
        assert.match(error.message, /"F"/);
      }
      assert.deepEqual(await destination.plan(tableOf(keyed(field("F", from)), options)), []);
    }
  });

  behaviour("another key stops under every policy", async ({ destination }) => {
    const fields = [field("Id", TEXT), field("Other", TEXT)];
    await destination.prepare(tableOf(streamOf(fields)));
    const changed = tableOf(streamOf(fields, { key: ["Other"] }));
    await rejected(destination.prepare(changed), "DRIFT_NARROWED");
  });
}
