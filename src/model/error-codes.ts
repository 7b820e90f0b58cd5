/**
 * What the engine does about an error:
 * retry = wait and try again within limits, then the stream fails with its cursor kept;
 * skip = the record is parked and the rest goes on;
 * halt = the stream stops until a person acts;
 * bug = the stream stops, its state stays as it was, and it should be reported.
 */
export type Intent = "retry" | "skip" | "halt" | "bug";

interface CodeFacts {
  readonly intent: Intent;
  /** Exit code of a command that ends with this error. */
  readonly exit: 1 | 2 | 3;
  readonly cause: string;
  readonly remedy: string;
}

const code = (intent: Intent, exit: 1 | 2 | 3, cause: string, remedy: string): CodeFacts => ({
  intent,
  exit,
  cause,
  remedy,
});

/**
 * Every error code with its cause and remedy: the one source of `docs/errors.md`, exit codes and
 * the engine's reaction. Codes are stable; a message may change.
 */
export const ERROR_CODES = {
  // Configuration and usage
  USAGE: code(
    "halt",
    2,
    "A command was called with words it does not know.",
    "Run the command with `--help`.",
  ),
  CONFIG_NOT_FOUND: code(
    "halt",
    2,
    "There is no configuration file where one was expected.",
    "Run `lockstep init wfrmls`, or name the file with `--config FILE`.",
  ),
  CONFIG_INVALID: code(
    "halt",
    2,
    "The configuration has an unknown key, a value of the wrong kind, or names something that does not exist.",
    "Correct the named path; the message lists what is allowed.",
  ),
  SECRET_MISSING: code(
    "halt",
    2,
    "A secret reference such as `env:NAME` or `file:PATH` leads to nothing.",
    "Set the variable or create the file, then run again.",
  ),
  STREAM_UNKNOWN: code(
    "halt",
    2,
    "A configured stream does not exist in the system.",
    "Run `lockstep check` to list the streams, and correct the name.",
  ),
  RECORD_UNKNOWN: code(
    "halt",
    2,
    "A command named a record that the sync does not know.",
    "Name it by its match fields, or by a side's key as `SIDE:KEY`.",
  ),
  FIELD_UNKNOWN: code(
    "halt",
    2,
    "A configured field does not exist in the stream.",
    "Run `lockstep check` to list the fields, and correct the name.",
  ),
  // Reaching the system
  CONNECTOR_UNREACHABLE: code(
    "retry",
    1,
    "The system could not be reached: name not found, connection refused or reset.",
    "Check the URL and the network.",
  ),
  CONNECTOR_TIMEOUT: code(
    "retry",
    1,
    "The system did not answer in time.",
    "Try again later, or raise `timeout`.",
  ),
  CONNECTOR_RATE_LIMITED: code(
    "retry",
    1,
    "The system asked to slow down (429).",
    "Wait until the named time, or lower the request budget.",
  ),
  CONNECTOR_UNAVAILABLE: code(
    "retry",
    1,
    "The system answered with a server error (5xx).",
    "Try again later.",
  ),
  CONNECTOR_UNAUTHORIZED: code(
    "halt",
    3,
    "The system refused the credentials (401 or 403).",
    "Renew the token and run again; the cursor is kept.",
  ),
  CONNECTOR_NOT_FOUND: code(
    "halt",
    1,
    "The address does not lead to the service (404).",
    "Check `url`: it must be the service root.",
  ),
  CONNECTOR_BAD_REQUEST: code(
    "halt",
    1,
    "The system refused the request as wrong (400).",
    "Read the system's own words in the message; check `select` and `filter`.",
  ),
  CONNECTOR_BAD_RESPONSE: code(
    "retry",
    1,
    "The answer is not what the protocol says: HTML instead of JSON, truncated JSON, no `value`.",
    "If it persists, open the URL by hand and look at the answer.",
  ),
  CONNECTOR_ERROR_BODY: code(
    "retry",
    1,
    "The system answered 200 with an error in the body.",
    "Read the system's own words in the message.",
  ),
  CONNECTOR_NOT_ODATA: code(
    "halt",
    1,
    "The address answers, but not as an OData service.",
    "Check `url`: it must be the service root, the address that `$metadata` follows.",
  ),
  // A database or file that is a system, not the home
  SYSTEM_LOCKED: code(
    "retry",
    1,
    "Another program holds a lock that the system's database or file needs, or two writers met.",
    "Close the other program, or wait until its work is done; a run tries again by itself.",
  ),
  SYSTEM_READ_ONLY: code(
    "halt",
    1,
    "The system's database or file may not be written with this login or by this user.",
    "Grant the right that the message names, or use the system as a source only.",
  ),
  SYSTEM_FULL: code(
    "halt",
    1,
    "The disk of the system's database or file is full.",
    "Free some space there, then run again.",
  ),
  SYSTEM_UNREADABLE: code(
    "halt",
    1,
    "The system's database or file is damaged, or is not what it should be.",
    "Name another file, or restore a backup.",
  ),
  CONNECTOR_CLOSED: code("bug", 1, "A connector was used after it was closed.", "Report it."),
  CONNECTOR_UNSUPPORTED: code(
    "halt",
    1,
    "The system cannot do what was asked.",
    "Choose another mode; `lockstep check` lists what each stream can do.",
  ),
  METADATA_INVALID: code(
    "halt",
    1,
    "The `$metadata` document cannot be read.",
    "The message names the place; ask the vendor, or report it.",
  ),
  PAGING_LOOP: code(
    "halt",
    1,
    "The system's next link leads back to a page already read, or pages stay empty without end.",
    "Report it to the vendor; set `paging: keyset` where the server allows it.",
  ),
  PAGING_FOREIGN_ORIGIN: code(
    "halt",
    3,
    "The system's next link leads to another origin; following it would hand over the token.",
    "Check that `url` is right; report it to the vendor.",
  ),
  CURSOR_MISSING: code(
    "halt",
    1,
    "There is no cursor to go on from; an empty cursor never means everything.",
    "Run `lockstep run --full` first.",
  ),
  CURSOR_INVALID: code(
    "halt",
    1,
    "The stored cursor cannot be read by this connector.",
    "Run `lockstep run --full` to make a new one.",
  ),
  CURSOR_EXPIRED: code(
    "halt",
    1,
    "The cursor is older than what the system keeps, so changes or deletions may have been missed.",
    "Run `lockstep run`, or `lockstep run --sweep`; deletions are found by absence.",
  ),
  // One record
  RECORD_NOT_OBJECT: code(
    "skip",
    1,
    "An entry of a page is not a record.",
    "Report it to the vendor.",
  ),
  RECORD_KEY_MISSING: code(
    "skip",
    1,
    "A record has no key, or its key is null.",
    "Report it to the vendor.",
  ),
  RECORD_KEY_REPEATED: code(
    "skip",
    1,
    "Several records of one file have the same key.",
    "Correct the file: every key must stand on one line.",
  ),
  RECORD_TYPE_MISMATCH: code(
    "skip",
    1,
    "A value does not fit the field's type.",
    "Correct it at the source, then `lockstep parked retry`.",
  ),
  RECORD_ZONE_MISSING: code(
    "skip",
    1,
    "A timestamp has no time zone, so it names no instant.",
    "Correct it at the source, or set `zone` for the stream, then `lockstep parked retry`.",
  ),
  RECORD_RULE: code(
    "skip",
    1,
    "A record breaks a validation rule of the configuration.",
    "Correct it at the source, or the rule, then `lockstep parked retry`.",
  ),
  RECORD_REFUSED: code(
    "skip",
    1,
    "The destination refused the record.",
    "Read the destination's own words; then `lockstep parked retry`.",
  ),
  RECORD_UNMAPPABLE: code(
    "skip",
    1,
    "A value of one side has no place in the shared record, or the other way round.",
    "Correct the value, or the mapping (its table, type or unit); the rest of the record goes on.",
  ),
  // Safety
  GUARD_MASS_DELETE: code(
    "halt",
    3,
    "More records would be deleted than the guard allows.",
    "Look at the sample; if it is right, run `lockstep release ID`.",
  ),
  GUARD_EMPTY_SOURCE: code(
    "halt",
    3,
    "The source shows no record at all where the replica has some.",
    "Check access at the source; if it is right, run `lockstep release ID`.",
  ),
  GUARD_INCOMPLETE_WALK: code(
    "halt",
    3,
    "A walk could not be proven complete, so absence proves nothing.",
    "Run the sweep again; if the source is right, run `lockstep release ID`.",
  ),
  GUARD_PARKED: code(
    "halt",
    3,
    "So many records are bad that the source or the configuration must have changed.",
    "Look at `lockstep parked list`; correct the cause, or raise `guard.parkedCount`.",
  ),
  GUARD_EMPTY_SIDE: code(
    "halt",
    3,
    "One side of a reconcile shows no record at all where it had some.",
    "Check access to it; if it is right, run `lockstep release ID`.",
  ),
  GUARD_MASS_CHANGE: code(
    "halt",
    3,
    "More records of one side would be changed than the guard allows.",
    "Look at `lockstep plan`; if it is right, run `lockstep release ID`.",
  ),
  GUARD_LOST_KEY: code(
    "halt",
    3,
    "A side lost the column or header by which its records are known.",
    "Put it back, or name the right one in `key` or `match`.",
  ),
  GUARD_UNDONE: code(
    "halt",
    3,
    "A run was undone, and the next one would do the same again.",
    "Correct the cause or the rule, look at `lockstep plan`, then run `lockstep release ID`.",
  ),
  GUARD_SETTINGS_CHANGED: code(
    "halt",
    3,
    "The mapping or the filter of a side changed since its records were last agreed.",
    "Look at `lockstep plan`; if it is right, run `lockstep release ID`.",
  ),
  DRIFT_HALTED: code(
    "halt",
    3,
    "The source's schema changed and the drift policy is `halt`.",
    "Look at the change; set `drift: evolve` or `drift: ignore`, or migrate by hand.",
  ),
  DRIFT_NARROWED: code(
    "halt",
    3,
    "The source's type of a field no longer holds what the replica's column holds.",
    "Migrate the column by hand, or rebuild the table with `lockstep run --full` into a new one.",
  ),
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
  // Files of records
  FILE_REFUSED: code(
    "skip",
    1,
    "A file is not what it should be: of another type, empty, cut short, too large, or not there.",
    "Read the message: allow its type in `media.types`, raise `media.maxSize`, or ask the vendor; then `lockstep parked retry`.",
  ),
  FILE_LIST_UNPROVEN: code(
    "skip",
    1,
    "A record says that it has files, but shows none, or fewer; nothing was removed by that.",
    "Run `lockstep parked retry` later, which looks at the record again.",
  ),
  FILE_STORE_REFUSED: code(
    "halt",
    1,
    "The place for files cannot be written: no such bucket, no permission, no space.",
    "Correct `media.to`, its credentials or permissions, then run again; it goes on where it stopped.",
  ),
  FILE_STORE_UNREACHABLE: code(
    "retry",
    1,
    "The place for files cannot be reached.",
    "Check the network and `media.s3.endpoint`, then run again; it goes on where it stopped.",
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

export type ErrorCode = keyof typeof ERROR_CODES;
