const RECENT_MAX = 1_000;

/** What the server has done since it started or since `resetStats`. */
export interface SampleStats {
  readonly requests: number;
  /** Bytes of bodies sent. */
  readonly bytes: number;
  /** Requests by path below the service root, keys left out: `/Property`, `/Property()`. */
  readonly byPath: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  /** The last thousand request targets, decoded, oldest first. */
  readonly recent: readonly string[];
}

/** Counts requests. */
export class StatsCounter {
  #requests = 0;
  #bytes = 0;
  #byPath: Record<string, number> = {};
  #byStatus: Record<string, number> = {};
  #recent: string[] = [];

  request(path: string, target: string): void {
    const name = path.replace(/\([^)]*\)/, "()");
    this.#requests += 1;
    this.#byPath[name] = (this.#byPath[name] ?? 0) + 1;
    this.#recent.push(target);
    if (this.#recent.length > RECENT_MAX) {
      this.#recent.shift();
    }
  }

  /** `status` is a number, or the kind of a fault that had none. */
  response(status: number | string, bytes: number): void {
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
    this.#bytes += bytes;
  }

  reset(): void {
    this.#requests = 0;
    this.#bytes = 0;
    this.#byPath = {};
    this.#byStatus = {};
    this.#recent = [];
  }

  snapshot(): SampleStats {
    return {
      requests: this.#requests,
      bytes: this.#bytes,
      byPath: { ...this.#byPath },
      byStatus: { ...this.#byStatus },
      recent: [...this.#recent],
    };
  }
}
