import { CERTIFICATE_MARK, freshRecord } from "../../core/fresh-record.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";
import type { LockstepParts, SystemPart } from "../lockstep-parts.ts";
import type { Watch } from "../results.ts";
import { type CertificateEntry, certificateWrites, takeCertificate } from "./take-certificate.ts";

export interface CertificateRequest {
  readonly system: string;
  readonly stream: string;
  /** Who asks; for the audit. */
  readonly by: string;
}

/** What a certificate of a stream would take; nothing was written. */
export interface CertificateCost {
  readonly system: string;
  readonly stream: string;
  /** Writes and as many readings, about. */
  readonly writes: number;
}

/** What became of hostile values in a real system, value by value. */
export interface StreamCertificate {
  readonly system: string;
  readonly connector: string;
  readonly stream: string;
  readonly entries: readonly CertificateEntry[];
}

/** What it would take. Throws as `certifyStream`. */
export function certificateCost(
  parts: LockstepParts,
  request: Omit<CertificateRequest, "by">,
  watch: Watch,
): Promise<CertificateCost> {
  return withStream(parts, request, watch, async ({ schema }) => {
    const { system, stream } = request;
    return { system, stream, writes: certificateWrites(schema) };
  });
}

/**
 * Writes hostile values to a record of its own in a stream of a configured system, reads them
 * again, tells what came back, and deletes the record, whatever happens meanwhile. Audited. Throws
 * USAGE for a system or stream that is not there, CONNECTOR_UNSUPPORTED for one that takes no
 * writes, CERTIFICATE_REFUSED and CERTIFICATE_LEFT.
 */
export function certifyStream(
  parts: LockstepParts,
  request: CertificateRequest,
  watch: Watch,
): Promise<StreamCertificate> {
  return withStream(parts, request, watch, async ({ system, connector, schema }) => {
    const { home, clock, random } = parts;
    const template = await anyRecord(connector, schema, watch.signal);
    const newMark = (): string => `${CERTIFICATE_MARK}-${random.id()}`;
    const fresh = (): NonNullable<ReturnType<typeof freshRecord>> => {
      const made = freshRecord(schema, template, newMark(), random.next());
      if (made !== undefined) return made;
      const key = schema.key.join(", ");
      throw new SyncError(
        "CERTIFICATE_REFUSED",
        `No key can be made up for "${schema.name}"; its key is ${key}, and a text or a number is needed.`,
      );
    };
    const details = { system: system.name, stream: schema.name };
    const audited = { at: clock.now(), actor: request.by, action: "certificate", details };
    await home.appendAudit(audited);
    const options = { connector, schema, fresh, id: newMark };
    const entries = await takeCertificate(options, watch.signal);
    return { ...details, connector: system.connector, entries };
  });
}

interface Found {
  readonly system: SystemPart;
  readonly connector: Connector;
  readonly schema: StreamSchema;
}

async function withStream<T>(
  { systems }: LockstepParts,
  { system: name, stream }: Omit<CertificateRequest, "by">,
  { signal, emit = () => {} }: Watch,
  act: (found: Found) => Promise<T>,
): Promise<T> {
  const system = systems.find((each) => each.name === name);
  if (system === undefined) {
    const known = systems.map((each) => each.name).join(", ");
    throw new SyncError("USAGE", `No sync uses a system "${name}"; used: ${known}.`);
  }
  const { connector, onWait } = await system.connect();
  const forget = onWait(emit);
  try {
    const schemas = await connector.discover(signal);
    const schema = schemas.find((each) => each.name === stream);
    if (schema === undefined) {
      const known = schemas.map((each) => each.name).join(", ");
      throw new SyncError("USAGE", `"${name}" has no stream "${stream}"; streams: ${known}.`);
    }
    if (connector.write === undefined || schema.traits.write === undefined) {
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `"${stream}" of "${name}" takes no writes, so there is nothing to certify.`,
      );
    }
    return await act({ system, connector, schema });
  } finally {
    forget();
  }
}

/** The values of a record that is there, for what a new one may not leave out. */
async function anyRecord(
  connector: Connector,
  schema: StreamSchema,
  signal: AbortSignal,
): Promise<Values | undefined> {
  const walk = { kind: "walk", query: { schema }, after: null, projection: "record" } as const;
  for await (const { records } of connector.read(walk, signal)) {
    const [first] = records;
    if (first !== undefined) return first.values;
  }
  return undefined;
}
