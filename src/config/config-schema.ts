import { z } from "zod";
import type { ConfigInput, StreamInput, SyncInput } from "./config-input.ts";
import { expecting, nameSchema } from "./expectations.ts";
import { mediaSchema } from "./media-schema.ts";
import {
  DURATION_EXPECTED,
  DURATION_PATTERN,
  SHARE_EXPECTED,
  SHARE_PATTERN,
} from "./quantities.ts";

const HOME_PATTERN = /^(sqlite:.+|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;
const HOME_EXPECTED =
  "sqlite:PATH, or a reference (env:NAME, file:PATH) to a postgres:// URL, which holds a password";
const text = (expected: string): z.ZodString => expecting(z.string().min(1), expected);
const duration = (): z.ZodString =>
  expecting(z.string().regex(DURATION_PATTERN), DURATION_EXPECTED);
const share = (): z.ZodString => expecting(z.string().regex(SHARE_PATTERN), SHARE_EXPECTED);
const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER): z.ZodNumber =>
  expecting(
    z.number().int().min(min).max(max),
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max}`,
  );
const fieldNames = (): z.ZodType<string | readonly string[]> =>
  expecting(
    z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    "a field name or a list of field names",
  );

const inheritable = {
  naming: z
    .enum(["source", "snake_case"])
    .optional()
    .describe("Names of tables and columns. Default: source."),
  deletes: z
    .enum(["remove", "mark"])
    .optional()
    .describe("What a deletion at the source does to the row. Default: remove."),
  drift: z
    .enum(["evolve", "ignore", "halt"])
    .optional()
    .describe("What to do when the source's schema grows. Default: evolve."),
  overlap: duration()
    .optional()
    .describe("Incremental runs read again this far back. Default: 10m."),
  overlapMax: duration()
    .optional()
    .describe("The overlap grows by measured lateness up to this. Default: 6h."),
  refresh: duration()
    .optional()
    .describe("A stream that cannot tell its changes is copied again when older. Default: 1d."),
  history: z
    .enum(["full", "changes", "off"])
    .optional()
    .describe("full logs whole images of new records, changes only their keys. Default: full."),
  partitions: wholeNumber(1, 32)
    .optional()
    .describe("Parts of a stream that a full walk or sweep reads at the same time. Default: 1."),
};

const rule = z
  .strictObject({
    field: text("a field name"),
    required: expecting(z.literal(true), "true").optional(),
    min: expecting(z.number(), "a number").optional(),
    max: expecting(z.number(), "a number").optional(),
    maxLength: wholeNumber(1).optional(),
    oneOf: expecting(z.array(z.string()).min(1), "a list of texts").optional(),
    pattern: text("a regular expression").optional(),
    otherwise: z.enum(["park", "reject"]).optional().describe("Default: park."),
  })
  .describe("Checks on one field.");

const parent = z.strictObject({
  stream: text("the name of a stream of this sync"),
  field: text("a field of this stream"),
  parentField: text("a field of the parent stream").optional(),
});

const monitor = z.strictObject({
  status: fieldNames().optional(),
  price: fieldNames().optional(),
  transitions: expecting(
    z.array(expecting(z.string().regex(/^[^:]+:[^:]+$/), 'a transition such as "Active:Pending"')),
    'a list of transitions such as "Active:Pending"',
  ).optional(),
});

const stream: z.ZodType<StreamInput> = expecting(
  z.strictObject({
    table: text("a table name").optional(),
    select: expecting(z.array(text("a field name")).min(1), "a list of field names").optional(),
    filter: text("a filter in the source's own language").optional(),
    parent: expecting(parent, "a stream, a field and perhaps a parentField").optional(),
    monitor: expecting(monitor, "status, price and transitions").optional(),
    validate: expecting(
      z.array(expecting(rule, "a field and its checks")),
      "a list of rules",
    ).optional(),
    ...inheritable,
  }),
  "the stream's settings, or nothing",
);

const guard = z.strictObject({
  deleteShare: share()
    .optional()
    .describe("Halt above this share of the replica's rows. Default: 10%."),
  deleteCount: wholeNumber(0)
    .optional()
    .describe("Halt above this number of deletions. Default: 5000."),
  deleteFloor: wholeNumber(0)
    .optional()
    .describe("Up to this number, deletions never halt by share. Default: 20."),
  countTolerance: share()
    .optional()
    .describe("A walk may miss the source's own count by this share. Default: 0.1%."),
  parkedCount: wholeNumber(1).optional().describe("Halt when a run parks more. Default: 1000."),
});

const sync: z.ZodType<SyncInput> = expecting(
  z.strictObject({
    replicate: text("the name of a system"),
    into: text("home, or the name of a system").optional().describe("Default: home."),
    ...inheritable,
    guard: expecting(guard, "the guard's limits").optional(),
    concurrency: wholeNumber(1, 32)
      .optional()
      .describe("Streams read at the same time. Default: 3."),
    workers: wholeNumber(1, 32)
      .optional()
      .describe("Threads that replicate whole streams side by side. Default: 1, none but our own."),
    media: mediaSchema(expecting).optional(),
    streams: expecting(z.record(z.string(), stream.nullable()), "a mapping from stream names"),
  }),
  "a sync's settings",
);

/** The configuration but for the systems' own settings, which their connectors' schemas judge. */
export const CONFIG_SCHEMA: z.ZodType<ConfigInput> = expecting(
  z.strictObject({
    home: expecting(z.string().regex(HOME_PATTERN), HOME_EXPECTED)
      .optional()
      .describe("Default: sqlite:./lockstep.db."),
    systems: expecting(
      z.record(
        nameSchema(),
        expecting(
          z.looseObject({ connector: text("the kind of system") }),
          "a system's settings with its connector",
        ),
      ),
      "a mapping from names to systems",
    ),
    syncs: expecting(z.record(nameSchema(), sync), "a mapping from names to syncs"),
  }),
  "home, systems and syncs",
);
