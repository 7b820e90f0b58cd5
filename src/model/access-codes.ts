import { type CodeFacts, code } from "./code-facts.ts";

/** What keeps a command or a run from a system: its configuration, and the way there. */
export const ACCESS_CODES = {
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
    "Run `lockstep init wfrmls` for a copy or `lockstep init reconcile` for systems to keep in step, or name the file with `--config FILE`.",
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
  CERTIFICATE_REFUSED: code(
    "halt",
    1,
    "A certificate is made with a record of its own, and the stream does not take one.",
    "Name a stream of that system that takes new records; the message says what this one wants.",
  ),
  CERTIFICATE_LEFT: code(
    "halt",
    1,
    "The record with which a certificate was made could not be deleted again.",
    "Delete it by hand; its key is in the message.",
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
} as const satisfies Record<string, CodeFacts>;
