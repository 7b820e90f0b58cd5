import { setFlagsFromString } from "node:v8";

/**
 * Keeps the part of the heap that holds new objects at the size it has now, of a few megabytes. V8
 * would let it grow to twice 32 MB and more while pages are read, for objects that die with their
 * page either way: a full copy then needs 160 MB more and is no faster. To be called by a program,
 * never by a library, once its modules are loaded.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
