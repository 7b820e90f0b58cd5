import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";

/** Where SQLite looks for one: https://sqlite.org/tempfiles.html#temporary_file_storage_locations */
const PLACES: readonly string[] = [tmpdir(), "/var/tmp", "/usr/tmp", "/tmp", "."];

/**
 * Whether SQLite finds a folder for temporary files, which longer statements take. A container
 * whose file system is only for reading, but for a volume with the data, may have none.
 */
export function hasTemporaryPlace(places: readonly string[] = PLACES): boolean {
  return process.platform === "win32" || places.some(isWritableFolder);
}

function isWritableFolder(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
