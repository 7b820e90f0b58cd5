import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder of the system's temporary one, and its end. */
export function createTemporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "lockstep-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
