import { createHash } from "node:crypto";

/** What happened in a world, line by line. Equal seeds give equal hashes. */
export interface Trace {
  add(line: string): void;
  readonly lines: readonly string[];
  hash(): string;
}

export function createTrace(now: () => number): Trace {
  const lines: string[] = [];
  return {
    add(line) {
      lines.push(`${new Date(now()).toISOString().slice(5, 23)} ${line}`);
    },
    lines,
    hash: () => createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16),
  };
}
