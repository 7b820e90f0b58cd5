import { commonType, FIELD_TYPES, type FieldWord, wordOfCell } from "../../model/field-words.ts";
import type { Field, StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Memory } from "../../ports/runtime.ts";
import { rowsOf } from "./answers.ts";
import type { RestClient } from "./client.ts";
import { firstCall } from "./paging.ts";
import { isObject } from "./rows.ts";
import type { RestStream } from "./settings.ts";

/** The schema of a stream: its declared fields, else those that its records were seen to have. */
export async function schemaOf(
  { client, memory }: { readonly client: RestClient; readonly memory: Memory },
  stream: RestStream,
  signal: AbortSignal,
): Promise<StreamSchema> {
  const words = stream.infer
    ? await inferred(client, memory, stream, signal)
    : new Map([...stream.fields].map(([name, { word }]) => [name, word]));
  // A stream that is described is still one that must answer.
  if (!stream.infer)
    rowsOf(client, stream, await client.ask(stream, firstCall(stream, "few"), signal));
  for (const name of [...stream.key, ...(stream.modifiedAt ? [stream.modifiedAt] : [])]) {
    if (words.has(name)) continue;
    const known = [...words.keys()].join(", ") || "no records, so that nothing can be told";
    throw new SyncError(
      "FIELD_UNKNOWN",
      `Stream "${stream.name}" has no field "${name}"; it has ${known}.`,
      { context: { stream: stream.name }, hint: "Declare the `fields` of the stream." },
    );
  }
  const fields = [...words].map(
    ([name, word]): Field => ({
      name,
      type: FIELD_TYPES[word],
      nullable: !stream.key.includes(name) && stream.fields.get(name)?.required !== true,
    }),
  );
  const write = writeTraits(stream, fields);
  return {
    name: stream.name,
    fields,
    key: stream.key,
    ...(stream.modifiedAt === undefined ? {} : { modifiedAt: stream.modifiedAt }),
    traits: {
      changes: stream.changes !== undefined,
      deletions: false,
      sweep: true,
      count: stream.total !== undefined,
      ...(write === undefined ? {} : { write }),
    },
  };
}

function writeTraits(stream: RestStream, fields: readonly Field[]): WriteTraits | undefined {
  const { create, update, delete: remove, etag, assigned, idempotency, batch } = stream;
  if (create === undefined && update === undefined && remove === undefined) return undefined;
  const writable = fields.filter(({ name }) => isWritable(stream, name)).map(({ name }) => name);
  return {
    batch,
    expects: etag ? "atomic" : "checked",
    assignsKeys: assigned,
    fields: writable,
    ...(idempotency === undefined ? {} : { idempotent: true }),
  };
}

/** A field that a create or an update may carry. */
export function isWritable(stream: RestStream, name: string): boolean {
  if (stream.assigned && stream.key.includes(name)) return false;
  return name !== stream.modifiedAt && stream.fields.get(name)?.readOnly !== true;
}

/** The types that the first page's values tell, never narrower than they were told before. */
async function inferred(
  client: RestClient,
  memory: Memory,
  stream: RestStream,
  signal: AbortSignal,
): Promise<Map<string, FieldWord>> {
  const note = `types:${stream.name}`;
  const known = await memory.recall(note);
  const words = new Map<string, FieldWord>(
    known === undefined ? [] : (JSON.parse(known) as [string, FieldWord][]),
  );
  const answer = await client.ask(stream, firstCall(stream, "page"), signal);
  for (const row of rowsOf(client, stream, answer)) {
    for (const [name, value] of isObject(row) ? Object.entries(row) : []) {
      const declared = stream.fields.get(name)?.word;
      if (declared !== undefined || value === null) continue;
      const word = wordOfCell(value);
      words.set(name, commonType(words.get(name) ?? word, word));
    }
  }
  for (const [name, { word }] of stream.fields) words.set(name, word);
  const told = JSON.stringify([...words]);
  if (told !== known) await memory.remember(note, told);
  return words;
}
