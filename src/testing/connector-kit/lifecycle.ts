import assert from "node:assert/strict";
import type { StreamSchema } from "../../model/schema.ts";
import type { Connector, ReadRequest } from "../../ports/connector.ts";
import { keysOf, keysRead, pagesOf, sorted, syncErrorOf, walk } from "./reading.ts";
import { type Behaviour, type ConnectorSubject, never, schemasOf } from "./subject.ts";

/** Aborting, closing, reading twice at once, and being refused. */
export function lifecycleBehaviours(behaviour: Behaviour): void {
  behaviour("an aborted signal stops every call before it acts", async (subject) => {
    const reason = new Error("stopped by the test");
    const signal = AbortSignal.abort(reason);
    for (const call of await callsOf(subject)) {
      await assert.rejects(call(signal), (error) => error === reason);
    }
  });

  behaviour("a read aborted between pages throws the signal's reason", async (subject) => {
    const { schema } = await largest(subject);
    const controller = new AbortController();
    const reason = new Error("stopped by the test");
    let pages = 0;
    const read = async (): Promise<void> => {
      for await (const page of subject.connector.read(walk(schema), controller.signal)) {
        assert.ok(page.cursor);
        pages += 1;
        controller.abort(reason);
      }
    };
    await assert.rejects(read(), (error) => error === reason);
    assert.equal(pages, 1);
  });

  behaviour("an abort while a page is on its way ends the read", async (subject) => {
    const { schema } = await largest(subject);
    const controller = new AbortController();
    const reason = new Error("stopped by the test");
    const pages = subject.connector.read(walk(schema), controller.signal)[Symbol.asyncIterator]();
    const pending = pages.next();
    controller.abort(reason);
    const settled = await Promise.allSettled([pending]);
    if (settled[0].status === "rejected") assert.equal(settled[0].reason, reason);
    else await assert.rejects(pages.next(), (error) => error === reason);
  });

  behaviour("a read left early leaves the connector in order", async (subject) => {
    const { schema, keys } = await largest(subject);
    for await (const page of subject.connector.read(walk(schema), never)) {
      assert.ok(page.cursor);
      break;
    }
    assert.deepEqual(sorted(keysOf(await pagesOf(subject.connector, walk(schema)))), sorted(keys));
  });

  behaviour("two reads at once do not disturb each other", async (subject) => {
    const { schema } = await largest(subject);
    const alone = keysOf(await pagesOf(subject.connector, walk(schema)));
    const both = await Promise.all([
      pagesOf(subject.connector, walk(schema)),
      pagesOf(subject.connector, walk(schema)),
    ]);
    for (const pages of both) assert.deepEqual(keysOf(pages), alone);
  });

  behaviour("two reads in turns do not disturb each other", async (subject) => {
    const { schema } = await largest(subject);
    const alone = keysOf(await pagesOf(subject.connector, walk(schema)));
    const reads = [walk(schema), walk(schema)].map((request) => ({
      pages: subject.connector.read(request, never)[Symbol.asyncIterator](),
      keys: [] as string[],
    }));
    for (let open = reads; open.length > 0; ) {
      const next: typeof open = [];
      for (const read of open) {
        const { done, value } = await read.pages.next();
        if (done) continue;
        read.keys.push(...keysOf([value]));
        next.push(read);
      }
      open = next;
    }
    for (const read of reads) assert.deepEqual(read.keys, alone);
  });

  behaviour("close may be called twice", async ({ connector }) => {
    await connector.close();
    await connector.close();
  });

  behaviour("every call after close is refused", async (subject) => {
    const calls = await callsOf(subject);
    await subject.connector.close();
    for (const call of calls) {
      const error = await syncErrorOf(() => call(never));
      assert.equal(error.code, "CONNECTOR_CLOSED");
    }
  });

  behaviour("wrong credentials halt without telling the secret", async (subject, t) => {
    if (!subject.withWrongCredentials) return t.skip("the subject's system has no credentials");
    const schemas = await schemasOf(subject);
    const { connector, secret } = await subject.withWrongCredentials();
    for (const call of callsOn(connector, schemas)) {
      const error = await syncErrorOf(() => call(never));
      assert.equal(error.intent, "halt");
      assert.ok(!everythingIn(error).includes(secret), "the error tells the secret");
    }
    await connector.close();
  });
}

type Call = (signal: AbortSignal) => Promise<unknown>;

async function callsOf(subject: ConnectorSubject): Promise<readonly Call[]> {
  return callsOn(subject.connector, await schemasOf(subject));
}

/** Every way of calling the connector that its streams claim. */
function callsOn(connector: Connector, schemas: readonly StreamSchema[]): readonly Call[] {
  const reads = schemas.flatMap((schema): readonly ReadRequest[] => [
    walk(schema),
    ...(schema.traits.sweep ? [walk(schema, null, "key")] : []),
    keysRead(schema, ["1"] as unknown as Parameters<typeof keysRead>[1]),
  ]);
  return [
    (signal) => connector.check(signal),
    (signal) => connector.discover(signal),
    ...schemas.map((schema) => (signal: AbortSignal) => connector.head({ schema }, signal)),
    ...reads.map((request) => (signal: AbortSignal) => pagesOf(connector, request, signal)),
  ];
}

async function largest(subject: ConnectorSubject): Promise<{
  readonly schema: StreamSchema;
  readonly keys: Awaited<ReturnType<ConnectorSubject["keys"]>>;
}> {
  const streams = await Promise.all(
    (await schemasOf(subject)).map(async (schema) => ({
      schema,
      keys: await subject.keys(schema.name),
    })),
  );
  const [first] = streams.sort((a, b) => b.keys.length - a.keys.length);
  assert.ok(first);
  return first;
}

/** The error and all that hangs on it, as text. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = JSON.stringify({ ...error, stack: error.stack });
  return `${error.message} ${own} ${error.cause === undefined ? "" : everythingIn(error.cause)}`;
}
