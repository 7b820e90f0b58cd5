import type { ResoList } from "./queries.ts";

/** A list whose pages are made anew for every iteration. */
export function createList<R>(pages: () => AsyncIterable<readonly R[]>): ResoList<R> {
  return {
    pages,
    async toArray() {
      const records: R[] = [];
      for await (const page of pages()) records.push(...page);
      return records;
    },
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page;
    },
  };
}
