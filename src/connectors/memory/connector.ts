import { SyncError } from "../../model/sync-error.ts";
import type { Connector, ReadRequest } from "../../ports/connector.ts";
import { headOf, readPages } from "./connector-read.ts";
import type { MemorySystem } from "./system.ts";

export interface MemoryConnectorOptions {
  /**
   * How many rows the next page looks at; rows out of sight are dropped from it afterwards, so
   * that pages may be short or empty. Asked anew for every page. Default 100.
   */
  readonly pageSize?: () => number;
  readonly keysPerRead?: number;
  readonly concurrency?: number;
  /** Shown to the system; refused when it is not the system's own token. */
  readonly token?: string;
  /** Called before each page is read: the moment in which people edit during a read. */
  readonly beforePage?: (page: { readonly stream: string; readonly kind: string }) => Promise<void>;
}

/**
 * A connector of an in-memory system: a complete one, with nothing left out for tests.
 * A filter is a JSON object; a record is shown when its fields equal the object's.
 */
export function createMemoryConnector(
  system: MemorySystem,
  options: MemoryConnectorOptions = {},
): Connector {
  const keysPerRead = options.keysPerRead ?? 50;
  let closed = false;

  const enter = (signal: AbortSignal): void => {
    if (closed) {
      throw new SyncError("CONNECTOR_CLOSED", "The memory connector was used after it was closed.");
    }
    signal.throwIfAborted();
    if (options.token !== system.token) {
      throw new SyncError("CONNECTOR_UNAUTHORIZED", "The memory system refused the token.");
    }
  };
  const turn = async (request: ReadRequest, signal: AbortSignal): Promise<number> => {
    enter(signal);
    await options.beforePage?.({ stream: request.query.schema.name, kind: request.kind });
    enter(signal);
    return options.pageSize?.() ?? 100;
  };

  return {
    capabilities: Object.freeze({ keysPerRead, concurrency: options.concurrency ?? 4 }),
    async check(signal) {
      enter(signal);
      const schemas = system.schemas();
      const facts = schemas.map((schema) => `${schema.name}: ${system.rows(schema.name).length}`);
      return { summary: `memory system with ${schemas.length} streams`, facts };
    },
    async discover(signal) {
      enter(signal);
      return system.schemas();
    },
    async head(query, signal) {
      enter(signal);
      return headOf(system, query);
    },
    async *read(request, signal) {
      enter(signal);
      yield* readPages(system, request, keysPerRead, () => turn(request, signal));
    },
    async close() {
      closed = true;
    },
  };
}
