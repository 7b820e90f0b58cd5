import type { LiveDay, SampleMls } from "../../testing/sample-mls/index.ts";

/** What was done to the sample MLS between the first copy and the next runs. */
export interface Story {
  readonly day: LiveDay;
  /** Listings edited at one and the same second. */
  readonly tied: number;
  /** Listings that became invisible; the deletion feed does not tell of them. */
  readonly hidden: readonly number[];
}

const TIED = 260;
const HIDDEN = 5;

/**
 * A day in the life of an MLS: prices and statuses move, more listings than a page holds change
 * within one second, some are deleted, some become invisible. Then the server has bad moments.
 */
export function liveThroughADay(mls: SampleMls): Story {
  const day = mls.control.live({ step: 1, edits: 60 });
  const tied = mls.control.editMany({
    count: TIED,
    fields: { PublicRemarks: "Open house this weekend. Große Küche, ruhige Lage!" },
  });
  const hidden: number[] = [];
  for (const { key, fields } of mls.truth("Property")) {
    if (hidden.length >= HIDDEN) break;
    if (fields["StandardStatus"] === "Closed") hidden.push(Number(key));
  }
  for (const key of hidden) mls.control.hide({ key });
  mls.control.fail({ kind: "status", status: 429, retryAfter: 1, match: "Property", after: 1 });
  mls.control.fail({ kind: "status", status: 504, match: "Property", after: 2 });
  return { day, tied: tied.length, hidden };
}

/** The day in words, one line each. */
export function storyInWords({ day, tied, hidden }: Story): readonly string[] {
  const moves = day.statuses.slice(0, 3).map(({ from, to }) => `${from} to ${to}`);
  return [
    `${day.prices.length} prices move`,
    `${day.statuses.length} statuses change (${[...new Set(moves)].join(", ")}, …)`,
    `listings: ${day.added.length} new, ${day.deleted.length} deleted`,
    `${tied} listings change within one second: more than a page holds`,
    `${hidden.length + day.hidden.length - day.unhidden.length} listings become invisible, and the deletion feed does not tell`,
    "the server answers 429 once and 504 once",
  ];
}
