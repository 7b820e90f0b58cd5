import type { ReportedError } from "../../model/run.ts";
import type { SyncError } from "../../model/sync-error.ts";
import { cleanText, type Style } from "./style.ts";

/** A message of several lines keeps them; everything else that could disturb a terminal goes. */
function cleanLines(text: string): readonly string[] {
  return text.split("\n").map(cleanText);
}

/** What failed, what to do, the code: the three things a person needs of an error. */
export function errorLines(error: ReportedError, style: Style): readonly string[] {
  const [first = "", ...more] = cleanLines(error.message);
  return [
    `${style.red("Failed:")} ${first}`,
    ...more,
    ...(error.hint === undefined ? [] : [`${style.bold("What to do:")} ${cleanText(error.hint)}`]),
    style.dim(`Code: ${error.code}`),
  ];
}

/** The stack of an error and of its causes, for `--verbose`. */
export function stackLines(error: SyncError, style: Style): readonly string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    const stack = current.stack ?? `${current.name}: ${current.message}`;
    lines.push(...cleanLines(depth === 0 ? stack : `Caused by ${stack}`).map(style.dim));
    current = current.cause;
  }
  return lines;
}
