/**
 * What the engine does about an error:
 * retry = wait and try again within limits, then the stream fails with its cursor kept;
 * skip = the record is parked and the rest goes on;
 * halt = the stream stops until a person acts;
 * bug = the stream stops, its state stays as it was, and it should be reported.
 */
export type Intent = "retry" | "skip" | "halt" | "bug";

/** What a code says of every error that bears it. */
export interface CodeFacts {
  readonly intent: Intent;
  /** Exit code of a command that ends with this error. */
  readonly exit: 1 | 2 | 3;
  readonly cause: string;
  readonly remedy: string;
}

/** The facts of one code; `remedy` says what a person can do. */
export const code = (
  intent: Intent,
  exit: 1 | 2 | 3,
  cause: string,
  remedy: string,
): CodeFacts => ({
  intent,
  exit,
  cause,
  remedy,
});
