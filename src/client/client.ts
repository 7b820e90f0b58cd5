import { createClientCore } from "./core.ts";
import { listDeleted } from "./deleted.ts";
import type { ResoClientOptions } from "./options.ts";
import type { DeletedQuery, DeletedRecord, PropertySet, ResoList, ResoSet } from "./queries.ts";
import { createSet } from "./set.ts";
import type { AnyStreams, StreamNamed, StreamShapes } from "./shapes.ts";

/**
 * A RESO Web API to ask. Nothing is sent before something is asked; `$metadata` is fetched once.
 * Every method throws a ResoError (told apart by `kind` or class), or the signal's reason.
 */
export interface ResoClient<S> {
  readonly property: PropertySet<StreamNamed<S, "Property">>;
  readonly member: ResoSet<StreamNamed<S, "Member">>;
  readonly office: ResoSet<StreamNamed<S, "Office">>;
  readonly openHouse: ResoSet<StreamNamed<S, "OpenHouse">>;
  readonly media: ResoSet<StreamNamed<S, "Media">>;
  readonly lookup: ResoSet<StreamNamed<S, "Lookup">>;
  /** Any entity set by its name in `$metadata`. */
  set<N extends keyof S & string>(name: N): ResoSet<StreamNamed<S, N>>;
  readonly deleted: {
    /** What the service tells of deleted records of a set, oldest first. */
    list<N extends keyof S & string>(
      name: N,
      query?: DeletedQuery,
    ): ResoList<DeletedRecord<StreamNamed<S, N>["key"]>>;
  };
  /** Ends what is going on and closes all connections; calling it again does nothing. */
  close(): Promise<void>;
}

/**
 * A client of one service. `S` is the interface `Streams` that `lockstep types` writes; without it
 * names and values are checked against `$metadata` when they are used. Throws ResoValidationError
 * for options that make no sense.
 */
export function createResoClient<S extends StreamShapes<S> = AnyStreams>(
  options: ResoClientOptions,
): ResoClient<S> {
  const core = createClientCore(options);
  const client = {
    property: createSet(core, "Property"),
    member: createSet(core, "Member"),
    office: createSet(core, "Office"),
    openHouse: createSet(core, "OpenHouse"),
    media: createSet(core, "Media"),
    lookup: createSet(core, "Lookup"),
    set: (name: string) => createSet(core, name),
    deleted: {
      list: (name: string, query: DeletedQuery = {}) => listDeleted(core, name, query),
    },
    close: core.close,
  };
  return client as unknown as ResoClient<S>;
}
