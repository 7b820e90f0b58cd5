const BRAND: unique symbol = Symbol("lockstep.MemoryTransaction");

/**
 * What the memory home hands to a memory destination's step: writes are enlisted, and take effect
 * together with the home's own when the whole commit is sound. An enlisted write must not throw.
 */
export interface MemoryTransaction {
  readonly [BRAND]: true;
  enlist(write: () => void): void;
  /** Every enlisted write, in order. */
  apply(): void;
}

export function createMemoryTransaction(): MemoryTransaction {
  const writes: (() => void)[] = [];
  return {
    [BRAND]: true,
    enlist: (write) => void writes.push(write),
    apply: () => {
      for (const write of writes) write();
    },
  };
}

export function isMemoryTransaction(connection: unknown): connection is MemoryTransaction {
  return typeof connection === "object" && connection !== null && BRAND in connection;
}
