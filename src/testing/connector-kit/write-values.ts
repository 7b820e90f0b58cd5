import assert from "node:assert/strict";
import { fieldIndex, projectSchema } from "../../model/schema.ts";
import { keysRead, pagesOf, recordsOf } from "./reading.ts";
import { type Behaviour, never } from "./subject.ts";
import { assertHolds, eachWriter, outcomeOf, writerOf, written } from "./writing.ts";

/** What a write leaves in the system. */
export function writeValueBehaviours(behaviour: Behaviour): void {
  behaviour("a created record is there, as the outcome says", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const named = writer.writes.fresh(writer.schema.name);
      const [outcome] = await writer.write([writer.create(named)]);
      const stored = written(outcome);
      assertHolds(writer, stored, named);
      assert.deepEqual(await writer.read(stored.key), [stored]);
      assert.ok((await subject.keys(writer.schema.name)).includes(stored.key));
    });
  });

  behaviour("an update writes its values and leaves absent ones alone", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const { schema } = writer;
      const [key, other] = await writer.keys(2);
      const [before, untouched] = await writer.read(key!, other!);
      const change = writer.writes.change(schema.name);
      const [outcome] = await writer.write([writer.update(key!, change)]);
      const stored = written(outcome);
      assertHolds(writer, stored, change);
      assert.deepEqual(await writer.read(key!, other!), [stored, untouched]);
      // What nobody can write the system computes, perhaps from what was written.
      const { fields } = schema.traits.write ?? {};
      for (const [index, { name }] of schema.fields.entries()) {
        if (name in change || name === schema.modifiedAt) continue;
        if (fields?.includes(name) === false) continue;
        assert.deepEqual(stored.values[index], before?.values[index], name);
      }
    });
  });

  behaviour("null is written as null", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const { schema } = writer;
      const field = schema.fields.find(
        ({ name, nullable }) =>
          nullable &&
          name !== schema.modifiedAt &&
          !schema.key.includes(name) &&
          schema.traits.write?.fields?.includes(name) !== false,
      );
      if (field === undefined) return;
      const [created] = await writer.write([writer.create()]);
      const { key } = written(created);
      const [outcome] = await writer.write([writer.update(key, { [field.name]: null })]);
      const stored = written(outcome);
      assert.equal(stored.values[fieldIndex(schema, field.name)], null, field.name);
      assert.deepEqual(await writer.read(key), [stored]);
      const [again] = await writer.write([
        writer.update(key, writer.writes.change(schema.name), writer.expecting(stored)),
      ]);
      outcomeOf(again, "written");
    });
  });

  behaviour("a delete takes the record away", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [gone, kept] = await writer.keys(2);
      const [before] = await writer.read(gone!);
      assert.ok(before);
      const [outcome] = await writer.write([writer.remove(gone!, writer.expecting(before))]);
      assert.equal(outcomeOf(outcome, "written").stored, null);
      const keys = await subject.keys(writer.schema.name);
      assert.ok(!keys.includes(gone!) && keys.includes(kept!));
    });
  });

  behaviour("a projection writes and gives back its own fields", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [key] = await writer.keys(1);
      const change = writer.writes.change(writer.schema.name);
      const small = projectSchema(writer.schema, Object.keys(change));
      const projected = writerOf(subject, subject.connector, small);
      const [outcome] = await projected.write([projected.update(key!, change)]);
      const stored = written(outcome);
      assert.equal(stored.values.length, small.fields.length);
      assertHolds(projected, stored, change);
      const read = await pagesOf(subject.connector, keysRead(small, [key!]));
      assert.deepEqual(recordsOf(read), [stored]);
    });
  });

  behaviour("what was written is found as a change", async (subject, t) => {
    await eachWriter(
      subject,
      t,
      async (writer) => {
        const { schema } = writer;
        const { changes: since } = await subject.connector.head({ schema }, never);
        assert.ok(since);
        const [key] = await writer.keys(1);
        const outcomes = await writer.write([
          writer.update(key!, writer.writes.change(schema.name)),
          writer.create(),
        ]);
        const keys = outcomes.map((outcome) => written(outcome).key);
        // An overlap, since what is made within the head's own second stands beside it.
        const request = { kind: "changes", query: { schema }, since, overlapMs: 2_000 } as const;
        const found = new Set(
          recordsOf(await pagesOf(subject.connector, request)).map((record) => record.key),
        );
        assert.deepEqual(
          keys.filter((each) => !found.has(each)),
          [],
        );
      },
      (schema) => schema.traits.changes && schema.modifiedAt !== undefined,
      "no stream that takes writes claims the trait `changes`",
    );
  });

  behaviour("an assigned key is given back", async (subject, t) => {
    await eachWriter(
      subject,
      t,
      async (writer) => {
        const outcomes = await writer.write([writer.create(), writer.create(), writer.create()]);
        const keys = outcomes.map((outcome) => written(outcome).key);
        assert.equal(new Set(keys).size, 3);
        assert.deepEqual(
          await writer.read(...keys),
          outcomes.map((outcome) => written(outcome)),
        );
      },
      (schema) => schema.traits.write?.assignsKeys === true,
      "no stream assigns keys",
    );
  });
}
