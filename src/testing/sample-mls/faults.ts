/** What goes wrong with an answer. */
export type FaultKind =
  /** Answers `status` with `body`. */
  | "status"
  /** Closes the connection without an answer. */
  | "reset"
  /** Announces the whole answer, sends half, and closes the connection. */
  | "cut"
  /** Sends the first half of the JSON as if it were all. */
  | "truncate"
  /** 200 with something that looks like JSON and is none. */
  | "malformed"
  /** The real page with each of its rows twice. */
  | "duplicate"
  /** The real page with a count that is too large by a thousand. */
  | "miscount"
  /** 200 with a page of HTML. */
  | "html"
  /** 200 with an error body. */
  | "error-body"
  /** A page without rows whose nextLink leads to the real page. */
  | "empty-page"
  /** The real page, with a nextLink to itself. */
  | "next-loop"
  /** The real page, with a nextLink to another origin. */
  | "next-elsewhere"
  /** Never answers. */
  | "hang";

/** A fault for the next requests. */
export interface FaultRequest {
  readonly kind: FaultKind;
  /** Only requests whose decoded target below the service root (`/Property?$top=1`) has this text. Default: all. */
  readonly match?: string;
  /** How many requests. Default 1. */
  readonly times?: number;
  /** So many matching requests pass unharmed first. Default 0. */
  readonly after?: number;
  /** For "status". Default 500. */
  readonly status?: number;
  /** For "status": the body. Default an OData error. */
  readonly body?: string;
  /** For "status": seconds. */
  readonly retryAfter?: number;
  /** Write `Retry-After` as an HTTP date instead of seconds. Default false. */
  readonly retryAfterAsDate?: boolean;
  /** For "next-elsewhere": the link. */
  readonly nextLink?: string;
}

/** The faults that wait for their requests, first come first served. */
export class Faults {
  #waiting: { fault: FaultRequest; after: number; times: number }[] = [];

  add(fault: FaultRequest): void {
    this.#waiting.push({ fault, after: fault.after ?? 0, times: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault for a request, counted off. */
  take(target: string): FaultRequest | undefined {
    for (const entry of this.#waiting) {
      if (entry.fault.match !== undefined && !target.includes(entry.fault.match)) {
        continue;
      }
      if (entry.after > 0) {
        entry.after -= 1;
        continue;
      }
      entry.times -= 1;
      this.#waiting = this.#waiting.filter((each) => each.times > 0);
      return entry.fault;
    }
    return undefined;
  }
}

/** Refuses more than a number of requests in each second of the server's clock. */
export class Throttle {
  #perSecond: number | undefined;
  #second = 0;
  #count = 0;

  /** Undefined or 0 lifts the limit. */
  set(perSecond: number | undefined): void {
    this.#perSecond = perSecond === 0 ? undefined : perSecond;
    this.#count = 0;
  }

  /** Counts a request; false when it is one too many. */
  admits(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#perSecond === undefined || this.#count <= this.#perSecond;
  }
}
