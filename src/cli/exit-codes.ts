import { ERROR_CODES } from "../model/error-codes.ts";
import type { RunOutcome, RunReport } from "../model/run.ts";

/**
 * What a command ends with. Stable: scripts depend on it.
 * 0 done; 1 failed, or a difference was found; 2 usage or configuration; 3 halted, a person must
 * act; 4 done, but records are parked, conflicts are open or a side refused a write; 5 a plan has something to do; 130 and 143 stopped by Ctrl-C and SIGTERM.
 */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  halted: 3,
  parked: 4,
  planned: 5,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code that an error's code stands for; 1 for a code that is not known. */
export function exitOfError(code: string): ExitCode {
  return code in ERROR_CODES ? ERROR_CODES[code as keyof typeof ERROR_CODES].exit : EXIT.failed;
}

/** The exit code of runs that ended; a failure all of whose errors are usage errors is one itself. */
export function exitOfRuns(outcome: RunOutcome, runs: readonly RunReport[]): ExitCode {
  switch (outcome) {
    case "done":
      return EXIT.done;
    case "partial":
      return EXIT.parked;
    case "halted":
      return EXIT.halted;
    case "stopped":
      return EXIT.interrupted;
    case "failed": {
      const errors = runs.flatMap((run) =>
        run.streams.flatMap((stream) => stream.error?.code ?? []),
      );
      const exits = new Set(errors.map(exitOfError));
      if (exits.has(EXIT.failed) || exits.size === 0) return EXIT.failed;
      return exits.has(EXIT.halted) ? EXIT.halted : EXIT.usage;
    }
  }
}

const SEVERITY: readonly ExitCode[] = [
  EXIT.done,
  EXIT.planned,
  EXIT.parked,
  EXIT.interrupted,
  EXIT.terminated,
  EXIT.halted,
  EXIT.usage,
  EXIT.failed,
];

/** The one that matters most. */
export function worstExit(codes: readonly ExitCode[]): ExitCode {
  return codes.reduce(
    (worst, code) => (SEVERITY.indexOf(code) > SEVERITY.indexOf(worst) ? code : worst),
    EXIT.done,
  );
}
