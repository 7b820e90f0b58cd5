import type { CaptureChangesResult } from "../../engine/capture-changes.ts";

/** Every statement, so that a person sees what is done to a database that is not ours. */
export function captureLines({
  system,
  action,
  dryRun,
  steps,
}: CaptureChangesResult): readonly string[] {
  if (steps.length === 0) return [`Nothing is captured in ${system}.`];
  return steps.flatMap(({ stream, statements }) => {
    const is = action === "install" ? "captured" : "not captured";
    if (statements.length === 0) return [`${stream}: is ${is} already`];
    const done = dryRun ? `would be ${is}, by` : `is ${is} now, by`;
    return [`${stream}: ${done}`, ...statements.flatMap(indented)];
  });
}

const indented = (statement: string): readonly string[] =>
  `${statement};`.split("\n").map((line) => `  ${line}`);
