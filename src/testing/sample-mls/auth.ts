import type { SampleBehavior } from "./options.ts";

/** The bearer token: which one works, and for how long. */
export class Auth {
  readonly #behavior: SampleBehavior;
  #token: string | null | undefined;
  #uses = 0;
  readonly #issued: Map<string, number> = new Map();

  /** `null` lets everybody in. */
  constructor(token: string | null, behavior: SampleBehavior) {
    this.#token = token;
    this.#behavior = behavior;
  }

  /** The token that works, if there is one. */
  get token(): string {
    return this.#token ?? "";
  }

  /** Lets a token in that the token endpoint has given out, until an instant in milliseconds. */
  issue(untilMs: number): string {
    const token = `sample-access-${this.#issued.size + 1}`;
    this.#issued.set(token, untilMs);
    return token;
  }

  /** Ends all tokens that the token endpoint has given out. */
  revokeIssued(): void {
    for (const token of this.#issued.keys()) {
      this.#issued.set(token, 0);
    }
  }

  /** Checks a request's `Authorization` header and counts it. */
  admits(header: string | undefined, nowMs: number): boolean {
    const until = this.#issued.get((header ?? "").replace(/^Bearer /, ""));
    if (until !== undefined) {
      return nowMs < until;
    }
    if (this.#token === null) {
      return true;
    }
    if (this.#token === undefined || header !== `Bearer ${this.#token}`) {
      return false;
    }
    this.#uses += 1;
    const { tokenExpiresAfter } = this.#behavior;
    return tokenExpiresAfter === undefined || this.#uses <= tokenExpiresAfter;
  }

  /** Ends the present token; the replacement, if any, works from now on. */
  expire(replacement: string | undefined): void {
    this.#token = replacement;
    this.#uses = 0;
  }

  /** Counts uses from zero again. */
  restartCount(): void {
    this.#uses = 0;
  }
}
