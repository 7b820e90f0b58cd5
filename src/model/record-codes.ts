import { type CodeFacts, code } from "./code-facts.ts";

/** What is wrong with records and files, and the guards that stop before many are harmed. */
export const RECORD_CODES = {
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
  GUARD_LOST_FIELD: code(
    "halt",
    3,
    "A side lost a column, header or member that was shared when its records were last agreed.",
    "Put it back, or name the right one in the side's `fields`; if it is right, run `lockstep release ID`.",
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
} as const satisfies Record<string, CodeFacts>;
