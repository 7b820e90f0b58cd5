import type { SideSample } from "../../core/propose-key.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";

/** A stream and its records, as far as they were looked at. */
export interface ReadSample extends SideSample {
  readonly schema: StreamSchema;
  /** Records that could not be read, such as lines with one key. */
  readonly bad: number;
  /** There are more records than were looked at. */
  readonly isPart: boolean;
}

/** Looks at no more records than this: enough to tell which fields are the same. */
const SAMPLE_MAX = 50_000;

/** Reads a stream, or its first part. Throws STREAM_UNKNOWN with the streams there are. */
export async function sampleSide(
  connector: Connector,
  stream: string,
  signal: AbortSignal,
): Promise<ReadSample> {
  const schemas = await connector.discover(signal);
  const schema = schemas.find(({ name }) => name === stream);
  if (schema === undefined) {
    const known = schemas.map(({ name }) => name).join(", ") || "none";
    throw new SyncError("STREAM_UNKNOWN", `There is no stream "${stream}"; streams: ${known}.`);
  }
  const rows: Values[] = [];
  let bad = 0;
  const request = { kind: "walk", query: { schema }, after: null, projection: "record" } as const;
  for await (const page of connector.read(request, signal)) {
    rows.push(...page.records.map(({ values }) => values));
    bad += page.bad.length;
    if (rows.length >= SAMPLE_MAX) break;
  }
  const isPart = rows.length >= SAMPLE_MAX;
  const { fields, key } = schema;
  return { schema, fields, key, filled: filledBySystem(schema), rows, bad, isPart };
}

/** Times of change among them: when the record was written here is nothing to tell another side. */
function filledBySystem(schema: StreamSchema): readonly string[] {
  const { fields, key, modifiedAt, traits } = schema;
  return fields.flatMap(({ name }) => {
    const isFilled = key.includes(name)
      ? traits.write?.assignsKeys === true
      : name === modifiedAt || traits.write?.fields?.includes(name) === false;
    return isFilled ? [name] : [];
  });
}
