/** The clock, passed in so that the engine can be driven on virtual time. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that only ever grow; for durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Randomness, passed in so that a run can be repeated from a seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A new unique id, safe in file names and URLs. */
  id(): string;
}

/** Resolves a secret reference (`env:NAME`, `file:PATH`). Throws SECRET_MISSING. */
export interface Secrets {
  resolve(reference: string): string;
}

/** Small durable notes of one connector about its system, such as what a probe found. */
export interface Memory {
  recall(key: string): Promise<string | undefined>;
  remember(key: string, value: string): Promise<void>;
}
