import type { StreamTraits } from "../../model/schema.ts";
import type { PageShape } from "./planned-stream.ts";

/** Requests that show so many records. */
export function pagesOf(records: number, { recordsPerPage }: PageShape): number {
  return Math.ceil(records / recordsPerPage);
}

/** Requests that a head takes: the count, the newest change and the newest deletion. */
export function headRequests({ changes, deletions, count }: StreamTraits): number {
  return [changes, deletions, count].filter(Boolean).length;
}

/** Requests that ask for so many keys. */
export function keyRequests(keys: number, keysPerRead: number): number {
  return Math.ceil(keys / keysPerRead);
}
