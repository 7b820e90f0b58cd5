import type { ReconcileSpec, SideSpec } from "../../core/mapping/reconcile-spec.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";
import type { Home } from "../../ports/home.ts";
import type { Memory } from "../../ports/runtime.ts";

/** What finding out about the sides needs. */
export interface DiscoveryParts {
  readonly home: Pick<Home, "memory">;
  /** By side, wrapped in retry and limits. */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** A side that is away does not keep the others from what is to be done. */
  readonly goesOnWithout?: boolean;
}

/** A side's stream, and what to read and write it by. */
export interface DiscoveredSide {
  readonly schema: StreamSchema;
  readonly connector: Connector;
}

interface Asked {
  readonly side: SideSpec;
  readonly connector: Connector;
  readonly schema?: StreamSchema;
  /** Why it is away. */
  readonly error?: SyncError;
}

/**
 * The sides' streams by side. One that is away stands as it was when it was last met, where the
 * others can go on without it (`goesOnWithout`) and are two at least: it fails at whatever it is
 * asked, so that nothing is known of it.
 */
export async function discoverSides(
  spec: ReconcileSpec,
  { home, connectors, goesOnWithout = false }: DiscoveryParts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DiscoveredSide>> {
  const memory = home.memory(spec.name);
  const isAway = (error: unknown): error is SyncError =>
    goesOnWithout && !signal.aborted && isSyncError(error) && error.intent === "retry";
  const asked = await Promise.all(
    spec.sides.map(async (side): Promise<Asked> => {
      const connector = connectors.get(side.name);
      if (connector === undefined) throw new SyncError("INTERNAL", `No side "${side.name}".`);
      try {
        return { side, connector, schema: findStream(side, await connector.discover(signal)) };
      } catch (error) {
        if (!isAway(error)) throw error;
        return { side, connector, error };
      }
    }),
  );
  const met = asked.filter(({ schema }) => schema !== undefined).length;
  const discovered = new Map<string, DiscoveredSide>();
  for (const { side, connector, schema, error } of asked) {
    if (schema !== undefined) {
      await remember(memory, side, schema);
      discovered.set(side.name, { schema, connector });
    } else if (error !== undefined) {
      const last = met < 2 ? undefined : await memory.recall(keyOf(side));
      if (last === undefined) throw error;
      discovered.set(side.name, { schema: JSON.parse(last), connector: away(connector, error) });
    }
  }
  return discovered;
}

/** What another stream looked like says nothing of this one. */
const keyOf = ({ name, system, stream }: SideSpec): string =>
  `side:${JSON.stringify([name, system, stream])}`;

async function remember(memory: Memory, side: SideSpec, schema: StreamSchema): Promise<void> {
  const text = JSON.stringify(schema);
  if ((await memory.recall(keyOf(side))) !== text) await memory.remember(keyOf(side), text);
}

/** The connector of a system that is away, and is not asked again. */
function away(connector: Connector, error: SyncError): Connector {
  const fail = (): Promise<never> => Promise.reject(error);
  return {
    capabilities: connector.capabilities,
    check: fail,
    discover: fail,
    head: fail,
    read: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
    ...(connector.write && {
      write: async (_query, operations) => operations.map(() => ({ kind: "unsent", error })),
    }),
    ...(connector.sumDigests && { sumDigests: fail }),
    close: () => connector.close(),
  };
}

function findStream(side: SideSpec, schemas: readonly StreamSchema[]): StreamSchema {
  const found = schemas.find(({ name }) => name === side.stream);
  if (found !== undefined) return found;
  const known = schemas.map(({ name }) => name).join(", ");
  throw new SyncError(
    "STREAM_UNKNOWN",
    `The side "${side.name}" has no stream "${side.stream}"; streams of "${side.system}": ${known || "none"}.`,
    { context: { stream: side.stream } },
  );
}
