import type { SampleBehavior } from "./options.ts";

/** The bearer token: which one works, and for how long. */
export class Auth {
  readonly #behavior: SampleBehavior;
  #token: string | null | undefined;
  #uses = 0;

  /** `null` lets everybody in. */
  constructor(token: string | null, behavior: SampleBehavior) {
    this.#token = token;
    this.#behavior = behavior;
  }

  /** The token that works, if there is one. */
  get token(): string {
    return this.#token ?? "";
  }

  /** Checks a request's `Authorization` header and counts it. */
  admits(header: string | undefined): boolean {
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
