import assert from "node:assert/strict";
import type { StreamSchema } from "../../model/schema.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import { syncErrorOf } from "./reading.ts";
import { type Behaviour, eachStream, never, withWrites } from "./subject.ts";
import { assertHolds, eachWriter, outcomeOf, writerOf, written } from "./writing.ts";

/** What a write says became of each operation. */
export function writeOutcomeBehaviours(behaviour: Behaviour): void {
  behaviour("an expectation that holds lets the write through", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const keys = await writer.keys(3);
      const records = await writer.read(...keys);
      const outcomes = await writer.write(
        records.map((record) => {
          const { version } = record!;
          const expected = writer.expecting(record!);
          return writer.update(
            record!.key,
            writer.writes.change(writer.schema.name),
            version === undefined ? expected : { ...expected, version },
          );
        }),
      );
      for (const outcome of outcomes) outcomeOf(outcome, "written");
    });
  });

  behaviour("a broken expectation writes nothing and tells what is there", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [edited, removed] = await writer.keys(2);
      const before = await writer.read(edited!, removed!);
      const change = () => writer.writes.change(writer.schema.name);
      await writer.write([edited, removed].map((key) => writer.update(key!, change())));
      const current = await writer.read(edited!, removed!);
      const outcomes = await writer.write([
        writer.update(edited!, change(), writer.expecting(before[0]!)),
        writer.remove(removed!, writer.expecting(before[1]!)),
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => outcomeOf(outcome, "conflict").current),
        current,
      );
      assert.deepEqual(await writer.read(edited!, removed!), current);
    });
  });

  behaviour("a version that has passed is a conflict", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [key] = await writer.keys(1);
      const [before] = await writer.read(key!);
      if (before?.version === undefined) return;
      const expected = { values: writer.values({}), version: before.version };
      const change = () => writer.writes.change(writer.schema.name);
      const [first] = await writer.write([writer.update(key!, change(), expected)]);
      const stored = written(first);
      assert.notEqual(stored.version, before.version);
      const [second] = await writer.write([writer.update(key!, change(), expected)]);
      assert.deepEqual(outcomeOf(second, "conflict").current, stored);
      const [third] = await writer.write([writer.remove(key!, expected)]);
      assert.deepEqual(outcomeOf(third, "conflict").current, stored);
    });
  });

  behaviour("an update of what is gone is a conflict with nothing", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [key] = await writer.keys(1);
      await writer.write([writer.remove(key!)]);
      const change = writer.writes.change(writer.schema.name);
      const [outcome] = await writer.write([writer.update(key!, change)]);
      assert.equal(outcomeOf(outcome, "conflict").current, null);
      assert.deepEqual(await writer.read(key!), [undefined]);
    });
  });

  behaviour("a delete of what is gone is written", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const [key] = await writer.keys(1);
      const [before] = await writer.read(key!);
      const remove = writer.remove(key!, writer.expecting(before!));
      for (let time = 0; time < 2; time += 1) {
        const [outcome] = await writer.write([remove]);
        assert.equal(outcomeOf(outcome, "written").stored, null);
      }
    });
  });

  behaviour("a create over what is there is a conflict with it", async (subject, t) => {
    await eachWriter(
      subject,
      t,
      async (writer) => {
        const first = writer.create();
        const stored = written((await writer.write([first]))[0]);
        const keyed = writer.schema.key.map((name) => {
          const index = writer.schema.fields.findIndex((field) => field.name === name);
          return [name, stored.values[index] ?? null] as const;
        });
        const named = {
          ...writer.writes.fresh(writer.schema.name),
          ...Object.fromEntries(keyed),
        };
        const fresh = writer.create();
        const outcomes = await writer.write([writer.create(named), fresh]);
        assert.deepEqual(outcomeOf(outcomes[0], "conflict").current, stored);
        outcomeOf(outcomes[1], "written");
        assert.deepEqual(await writer.read(stored.key), [stored]);
      },
      (schema) => schema.traits.write?.assignsKeys === false,
      "every stream assigns its keys",
    );
  });

  behaviour("outcomes stand in the order of their operations", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const { name } = writer.schema;
      const [first, second, gone, last] = await writer.keys(4);
      const changes = [writer.writes.change(name), writer.writes.change(name)] as const;
      const created = writer.writes.fresh(name);
      const [before] = await writer.read(second!);
      await writer.write([writer.remove(gone!)]);
      await writer.write([writer.update(second!, writer.writes.change(name))]);
      const outcomes = await writer.write([
        writer.update(last!, changes[0]),
        writer.update(second!, changes[1], writer.expecting(before!)),
        writer.create(created),
        writer.remove(first!),
        writer.update(gone!, changes[1]),
      ]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["written", "conflict", "written", "written", "conflict"],
      );
      assertHolds(writer, written(outcomes[0]), changes[0]);
      assert.equal(written(outcomes[0]).key, last);
      assert.equal(outcomeOf(outcomes[1], "conflict").current?.key, second);
      assertHolds(writer, written(outcomes[2]), created);
      assert.equal(outcomeOf(outcomes[4], "conflict").current, null);
    });
  });

  behaviour("a refused record leaves the rest written", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const { name } = writer.schema;
      const bad = writer.writes.refused?.(name);
      if (bad === undefined) return;
      const keys = await writer.keys(5);
      const changes = keys.map(() => writer.writes.change(name));
      const before = (await writer.read(keys[2]!))[0];
      const outcomes = await writer.write([
        ...keys.map((key, at) => writer.update(key, at === 2 ? bad.values : changes[at]!)),
        writer.create({ ...writer.writes.fresh(name), ...bad.values }),
        writer.create(),
      ]);
      for (const at of [0, 1, 3, 4]) assertHolds(writer, written(outcomes[at]), changes[at]!);
      for (const at of [2, 5]) {
        const { problem } = outcomeOf(outcomes[at], "rejected");
        assert.equal(problem.field, bad.field, problem.message);
        assert.match(problem.code, /^RECORD_/);
        assert.match(problem.message, /^[^\n]+$/);
      }
      outcomeOf(outcomes[6], "written");
      assert.deepEqual(await writer.read(keys[2]!), [before]);
    });
  });

  behaviour("a batch as large as allowed is written, a larger one refused", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const batch = writer.schema.traits.write?.batch ?? 0;
      assert.ok(Number.isInteger(batch) && batch > 0);
      const creates = Array.from({ length: batch }, () => writer.create());
      const before = (await subject.keys(writer.schema.name)).length;
      const error = await syncErrorOf(() => writer.write([...creates, writer.create()]));
      assert.notEqual(error.intent, "retry");
      assert.equal((await subject.keys(writer.schema.name)).length, before);
      for (const outcome of await writer.write(creates)) outcomeOf(outcome, "written");
      assert.equal((await subject.keys(writer.schema.name)).length, before + batch);
    });
  });

  behaviour("no operations give no outcomes", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      assert.deepEqual(await writer.write([]), []);
    });
  });

  behaviour("an aborted signal writes nothing", async (subject, t) => {
    await eachWriter(subject, t, async (writer) => {
      const reason = new Error("stopped by the test");
      const [key] = await writer.keys(1);
      const before = await writer.read(key!);
      const update = writer.update(key!, writer.writes.change(writer.schema.name));
      await assert.rejects(
        writer.write([update], AbortSignal.abort(reason)),
        (error) => error === reason,
      );
      assert.deepEqual(await writer.read(key!), before);
    });
  });

  behaviour("the same create again makes nothing, where that is claimed", async (subject, t) => {
    await eachWriter(
      subject,
      t,
      async (writer) => {
        const create = writer.create();
        const first = await writer.write([create]);
        const keys = await subject.keys(writer.schema.name);
        assert.deepEqual(await writer.write([create]), first);
        assert.deepEqual(await subject.keys(writer.schema.name), keys);
      },
      (schema) => schema.traits.write?.idempotent === true,
      "no stream claims that creates may be repeated",
    );
  });

  behaviour("of two that expect the same, one writes", async (subject, t) => {
    const { reopen } = subject;
    if (reopen === undefined) return t.skip("the subject cannot be opened twice");
    await eachWriter(
      subject,
      t,
      async (writer) => {
        const [key] = await writer.keys(1);
        const [before] = await writer.read(key!);
        const connector = await reopen();
        const change = () => writer.writes.change(writer.schema.name);
        const outcomes = await Promise.all(
          [writer, writerOf(subject, connector, writer.schema)].map((each) =>
            each.write([each.update(key!, change(), each.expecting(before!))]),
          ),
        );
        await connector.close();
        const kinds = outcomes.map(([outcome]) => outcome?.kind).sort();
        assert.deepEqual(kinds, ["conflict", "written"]);
      },
      (schema) => schema.traits.write?.expects === "atomic",
      "no stream checks and writes as one step",
    );
  });

  behaviour("writes to a stream that takes none are refused", async (subject, t) => {
    const { connector } = subject;
    const readOnly = {
      reason: "every stream takes writes, or the connector has no `write`",
      when: (schema: StreamSchema): boolean =>
        connector.write !== undefined && !withWrites.when(schema),
    };
    await eachStream(subject, t, readOnly, async (schema) => {
      const [key] = await subject.keys(schema.name);
      const values = schema.fields.map(() => undefined);
      const remove: WriteOperation = { kind: "delete", id: "1", key: key!, expected: { values } };
      const error = await syncErrorOf(async () => connector.write?.({ schema }, [remove], never));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
      assert.ok((await subject.keys(schema.name)).includes(key!));
    });
  });

  behaviour("a write after close is refused", async (subject, t) => {
    const writers: (() => Promise<unknown>)[] = [];
    await eachWriter(subject, t, async (writer) => {
      writers.push(() => writer.write([writer.create()]));
    });
    await subject.connector.close();
    for (const write of writers) assert.equal((await syncErrorOf(write)).code, "CONNECTOR_CLOSED");
  });
}
