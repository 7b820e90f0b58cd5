import { SyncError } from "../../model/sync-error.ts";
import type {
  Connector,
  Page,
  ReadRequest,
  WriteOperation,
  WriteOutcome,
} from "../../ports/connector.ts";
import { childrenIn, type MemoryRelations } from "./children.ts";
import { headOf, partsOf, readPages } from "./connector-read.ts";
import { type WriteFault, writeOperations } from "./connector-write.ts";
import { sumsOf } from "./digest-sums.ts";
import { retimedSystem } from "./retimed-system.ts";
import type { MemorySystem } from "./system.ts";

/** What goes wrong with one read. */
export interface ReadFault {
  /** Read from this older copy of the system, which knows nothing of what came later. */
  readonly system?: MemorySystem;
  /** Gives the items of every page in another order. */
  readonly order?: <T>(items: readonly T[]) => readonly T[];
  /** Thrown instead of the page of that number, the first being 0; default 0. */
  readonly error?: SyncError;
  readonly errorAt?: number;
}

/** Asked once for every call, so that a test decides what goes wrong and when. */
export interface MemoryFaults {
  read?(read: { readonly stream: string; readonly kind: string }): ReadFault | undefined;
  write?(write: {
    readonly stream: string;
    readonly operations: readonly WriteOperation[];
  }): WriteFault | undefined;
}

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
  /**
   * Called between the check and the write of an operation, in streams whose expectations are
   * only `checked`: the moment in which an edit is overwritten.
   */
  readonly beforeWrite?: (operation: WriteOperation) => Promise<void>;
  readonly faults?: MemoryFaults;
  /** What belongs to the records of which stream. */
  readonly relations?: MemoryRelations;
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
  const made = new Map<string, WriteOutcome>();
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
      const fault = options.faults?.read?.({ stream: query.schema.name, kind: "head" });
      if (fault?.error !== undefined) throw fault.error;
      return headOf(retimedSystem(fault?.system ?? system, query), query);
    },
    async *read(request, signal) {
      enter(signal);
      const { name } = request.query.schema;
      const fault = options.faults?.read?.({ stream: name, kind: request.kind }) ?? {};
      let nth = 0;
      const next = async (): Promise<number> => {
        const size = await turn(request, signal);
        if (fault.error !== undefined && nth === (fault.errorAt ?? 0)) throw fault.error;
        nth += 1;
        return size;
      };
      const own = fault.system ?? system;
      const shown = request.kind === "changes" ? retimedSystem(own, request.query) : own;
      for await (const page of readPages(shown, request, keysPerRead, next)) {
        yield fault.order === undefined ? page : reordered(page, fault.order);
      }
    },
    async sumDigests(query, bits, signal) {
      enter(signal);
      const stream = query.schema.name;
      const fault = options.faults?.read?.({ stream, kind: "digests" });
      if (fault?.error !== undefined) throw fault.error;
      await options.beforePage?.({ stream, kind: "digests" });
      enter(signal);
      return sumsOf(fault?.system ?? system, query, bits);
    },
    async write(query, operations, signal) {
      enter(signal);
      const fault = options.faults?.write?.({ stream: query.schema.name, operations }) ?? {};
      const beforeWrite = options.beforeWrite ?? (async () => undefined);
      return writeOperations({ system, query, operations, signal, fault, made, beforeWrite });
    },
    async partition(query, count, signal) {
      enter(signal);
      return partsOf(system, query, count);
    },
    async children(request, signal) {
      enter(signal);
      return childrenIn(system, options.relations ?? {}, request);
    },
    async close() {
      closed = true;
    },
  };
}

function reordered(page: Page, order: NonNullable<ReadFault["order"]>): Page {
  return { ...page, records: order(page.records), marks: order(page.marks) };
}
