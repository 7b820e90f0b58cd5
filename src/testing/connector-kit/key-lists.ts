import assert from "node:assert/strict";
import type { RecordKey } from "../../model/record.ts";
import { keysOf, keysRead, pagesOf, recordsOf, sorted, syncErrorOf, walk } from "./reading.ts";
import { type Behaviour, eachStream, everyStream, peopleWho } from "./subject.ts";

/** Reading records by their keys. */
export function keyListBehaviours(behaviour: Behaviour): void {
  behaviour("a list of keys gives their records as a walk does", async (subject, t) => {
    const { connector } = subject;
    await eachStream(subject, t, everyStream, async (schema) => {
      const walked = recordsOf(await pagesOf(connector, walk(schema)));
      const some = walked
        .filter((_, index) => index % 2 === 0)
        .slice(0, connector.capabilities.keysPerRead);
      const keys = some.map((record) => record.key);
      const read = recordsOf(await pagesOf(connector, keysRead(schema, keys)));
      const byKey = new Map(read.map((record) => [record.key, record]));
      assert.deepEqual(
        keys.map((key) => byKey.get(key)),
        some,
      );
      assert.deepEqual(sorted(byKey.keys()), sorted(keys));
    });
  });

  behaviour("a key that does not exist is not given", async (subject, t) => {
    const people = peopleWho(subject, t, "remove");
    if (!people) return;
    await eachStream(subject, t, everyStream, async (schema) => {
      const [gone, kept, other] = await subject.keys(schema.name);
      assert.ok(gone !== undefined && kept !== undefined && other !== undefined);
      await people.remove(schema.name, gone);
      const found = keysOf(await pagesOf(subject.connector, keysRead(schema, [kept, gone, other])));
      assert.deepEqual(sorted(found), sorted([kept, other]));
      assert.deepEqual(keysOf(await pagesOf(subject.connector, keysRead(schema, [gone]))), []);
    });
  });

  behaviour("a key of unusual letters is asked for safely", async (subject, t) => {
    const texts = {
      reason: "no stream has a single text key",
      when: (schema: Parameters<Parameters<typeof eachStream>[3]>[0]): boolean =>
        schema.key.length === 1 &&
        schema.fields.some(({ name, type }) => name === schema.key[0] && type.kind === "text"),
    };
    await eachStream(subject, t, texts, async (schema) => {
      const [known] = await subject.keys(schema.name);
      assert.ok(known !== undefined);
      const odd = ["O'Brien", "a&b=c", "50%", "x/y?z#w", "naïve 家", ") or (1 eq 1", ""];
      const keys = [...odd, known].slice(-subject.connector.capabilities.keysPerRead);
      const read = await pagesOf(subject.connector, keysRead(schema, keys as RecordKey[]));
      assert.deepEqual(keysOf(read), [known]);
    });
  });

  behaviour("no keys give no records", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      assert.deepEqual(keysOf(await pagesOf(subject.connector, keysRead(schema, []))), []);
    });
  });

  behaviour("more keys than the capability says are refused", async (subject, t) => {
    const { keysPerRead } = subject.connector.capabilities;
    await eachStream(subject, t, everyStream, async (schema) => {
      const [key] = await subject.keys(schema.name);
      assert.ok(key !== undefined);
      const keys = Array.from({ length: keysPerRead + 1 }, () => key);
      const error = await syncErrorOf(() => pagesOf(subject.connector, keysRead(schema, keys)));
      assert.notEqual(error.intent, "retry");
    });
  });
}
