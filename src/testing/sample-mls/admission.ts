/** Requests that are let in at a time. */
export class Crowd {
  #atOnce: number | undefined;
  #inside = 0;

  /** Undefined or 0 lifts the limit. */
  set(atOnce: number | undefined): void {
    this.#atOnce = atOnce === 0 ? undefined : atOnce;
  }

  /** Lets a request in; false when it is one too many. Whoever was let in must leave. */
  enter(): boolean {
    if (this.#atOnce !== undefined && this.#inside >= this.#atOnce) return false;
    this.#inside += 1;
    return true;
  }

  leave(): void {
    this.#inside -= 1;
  }
}

/** A quota that the server tells of in every answer, in windows of its own clock. */
export class ToldQuota {
  #limit: number | undefined;
  #windowMs = 60_000;
  #window = 0;
  #used = 0;

  /** A limit of 0 lifts it, and nothing is told any more. */
  set(limit: number, windowSeconds: number): void {
    this.#limit = limit === 0 ? undefined : limit;
    this.#windowMs = windowSeconds * 1000;
    this.#used = 0;
  }

  /** Counts a request: whether it is let in, and the headers to send with the answer. */
  admit(nowMs: number): { readonly isIn: boolean; readonly headers: Record<string, string> } {
    if (this.#limit === undefined) return { isIn: true, headers: {} };
    const window = Math.floor(nowMs / this.#windowMs);
    if (window !== this.#window) this.#used = 0;
    this.#window = window;
    this.#used += 1;
    const resetsIn = Math.ceil(((window + 1) * this.#windowMs - nowMs) / 1000);
    const isIn = this.#used <= this.#limit;
    const headers = {
      "X-RateLimit-Limit": String(this.#limit),
      "X-RateLimit-Remaining": String(Math.max(0, this.#limit - this.#used)),
      "X-RateLimit-Reset": String(resetsIn),
    };
    return { isIn, headers: isIn ? headers : { ...headers, "Retry-After": String(resetsIn) } };
  }
}
