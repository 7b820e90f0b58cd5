import { type CodeFacts, code } from "./code-facts.ts";

/** Trouble with what Lockstep keeps and where it writes, and with Lockstep itself. */
export const STORAGE_CODES = {
  // Home and destination
  HOME_LOCKED: code(
    "retry",
    1,
    "Another process holds the database's write lock.",
    "Close the other program, then run again.",
  ),
  HOME_UNREACHABLE: code(
    "retry",
    1,
    "The database cannot be reached, or the connection to it was lost.",
    "Start the database; a run that lost it waits and goes on by itself.",
  ),
  HOME_REFUSED: code(
    "halt",
    1,
    "The database refuses the login, does not exist, or offers no TLS as `sslmode` wants it.",
    "Correct user, password, database name or `sslmode` in the URL.",
  ),
  HOME_READ_ONLY: code(
    "halt",
    1,
    "The database cannot be written.",
    "Check the file's and folder's permissions.",
  ),
  HOME_FULL: code(
    "halt",
    1,
    "The disk is full; nothing of the page was written.",
    "Free some space, then run again; it goes on where it stopped.",
  ),
  HOME_NEWER: code(
    "halt",
    1,
    "The home was made by a newer version of Lockstep.",
    "Upgrade Lockstep: `npm install lockstep@latest`.",
  ),
  HOME_UNREADABLE: code(
    "halt",
    1,
    "The file is not a Lockstep home, or is damaged.",
    "Name another file, or restore a backup.",
  ),
  HOME_FENCED: code(
    "halt",
    1,
    "Another run took this sync over; this run's writes are refused.",
    "Nothing to do: the other run goes on.",
  ),
  PLAN_UNKNOWN: code(
    "halt",
    2,
    "There is no such plan, or none that waits to be applied.",
    "Make one: `lockstep plan SYNC`.",
  ),
  PLAN_STALE: code(
    "halt",
    1,
    "What the plan was built on has moved, so it would not do what was reviewed.",
    "Make a new plan: `lockstep plan SYNC`.",
  ),
  LEASE_HELD: code(
    "halt",
    1,
    "Another run of this sync is going on.",
    "Wait for it; `lockstep status` shows it. A dead run's lease ends by itself.",
  ),
  DESTINATION_FOREIGN_TABLE: code(
    "halt",
    3,
    "A table of that name exists and was not made by this sync.",
    "Rename it, or configure another table name with `table`.",
  ),
  DESTINATION_UNWRITABLE: code(
    "halt",
    1,
    "A file of the destination could not be written; the replica behind it is safe.",
    "Check the folder, its permissions and the space left, then run again: what is owed is written then.",
  ),
  WORKER_DIED: code(
    "retry",
    1,
    "A worker thread ended before its stream did: out of memory, or a bug. The others went on.",
    "Run again; it goes on where the stream's last page was saved. If it persists, set `workers: 1`.",
  ),
  // Bugs
  LEDGER_MISMATCH: code(
    "bug",
    1,
    "Records read do not equal records accounted for; the page was not committed.",
    "Report it with the run's report.",
  ),
  INTERNAL: code("bug", 1, "Something that must hold did not.", "Report it."),
} as const satisfies Record<string, CodeFacts>;
