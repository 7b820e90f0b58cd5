/**
 * Opaque position in a stream: made and read by the connector that gave it, JSON text so that it
 * can be stored. An absent cursor is spelled `null` and never means "everything".
 */
export type Cursor = string & { readonly __brand: "Cursor" };

/**
 * What a checkpoint is a position of. Each lane of a stream moves on its own. `pending` is no
 * position: it holds the intended writes of one page while the destination, being another
 * database than the home, has not answered for them yet. `media` is of the stream under whose name
 * files are kept, such as `Property/Media`.
 */
export type Lane = "walk" | "changes" | "deletions" | "sweep" | "keys" | "pending" | "media";

/**
 * The durable position of one lane, saved with, or after, the data it covers.
 * `state` is the engine's own small notes on the lane (JSON-safe), such as the walk's id.
 */
export interface Checkpoint {
  readonly sync: string;
  readonly stream: string;
  readonly lane: Lane;
  readonly cursor: Cursor | null;
  readonly state: Readonly<Record<string, unknown>>;
  readonly runId: string;
  /** Epoch milliseconds. */
  readonly savedAt: number;
}
