import { SyncError } from "../model/sync-error.ts";

export type ConfigPath = readonly (string | number)[];

/** One mistake in a configuration: where and what, with what was allowed. */
export interface ConfigProblem {
  readonly path: ConfigPath;
  /** The rest of a sentence that begins with the path: `is missing; expected a field name`. */
  readonly message: string;
  /** The mistake is in the last key of the path itself, not in its value. */
  readonly atKey?: boolean;
  readonly hint?: string;
}

/** Line (from 1) of a path into the file; of its nearest parent where it is not there itself. */
export type Locate = (path: ConfigPath, atKey: boolean) => number | undefined;

const SIMPLE_KEY = /^[A-Za-z0-9_$-]+$/;

/** `syncs.mls.streams.Property.validate[0].field`. */
export function showPath(path: ConfigPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (SIMPLE_KEY.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** A value for a message: short, and never an URL's credentials. */
export function showValue(value: unknown): string {
  if (typeof value === "string" && /:\/\/[^/]*@/.test(value)) return "a URL with credentials";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  const text = String(value);
  return `"${text.length > 40 ? `${text.slice(0, 39)}…` : text}"`;
}

/** One CONFIG_INVALID for all mistakes of a file, in the order of the file. */
export function configError(
  file: string,
  problems: readonly ConfigProblem[],
  locate: Locate,
): SyncError {
  const placed = problems
    .map((problem) => ({ problem, line: locate(problem.path, problem.atKey ?? false) }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const sentences = placed.map(({ problem, line }) => {
    const place = line === undefined ? file : `${file}:${line}`;
    const path = showPath(problem.path);
    return `${place}: ${path === "" ? "the configuration" : path} ${problem.message}.`;
  });
  const [only] = sentences;
  const message =
    sentences.length === 1 && only !== undefined
      ? only
      : `The configuration has ${sentences.length} mistakes:\n${sentences.map((text) => `  ${text}`).join("\n")}`;
  const hint = placed.find(({ problem }) => problem.hint !== undefined)?.problem.hint;
  return new SyncError("CONFIG_INVALID", message, {
    ...(hint === undefined ? {} : { hint }),
    details: {
      problems: placed.map(({ problem, line }) => ({
        path: showPath(problem.path),
        ...(line === undefined ? {} : { line }),
        message: problem.message,
      })),
    },
  });
}
