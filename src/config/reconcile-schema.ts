import { z } from "zod";
import { canonicalDecimal } from "../model/decimal.ts";
import { expecting, nameSchema } from "./expectations.ts";
import {
  DURATION_EXPECTED,
  DURATION_PATTERN,
  SHARE_EXPECTED,
  SHARE_PATTERN,
} from "./quantities.ts";
import type { ReconcileInput, RecordFunction, RuleFunction } from "./reconcile-input.ts";

const text = (expected: string): z.ZodString => expecting(z.string().min(1), expected);
const duration = (): z.ZodString =>
  expecting(z.string().regex(DURATION_PATTERN), DURATION_EXPECTED);
const share = (): z.ZodString => expecting(z.string().regex(SHARE_PATTERN), SHARE_EXPECTED);
const count = (): z.ZodNumber => expecting(z.number().int().min(0), "a whole number of at least 0");
const names = (of: string): z.ZodArray<z.ZodString> =>
  expecting(z.array(text(of)).min(1), `a list of ${of}s`);
const oneOrMore = (of: string): z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]> =>
  expecting(z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]), of);
const scalar = expecting(
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
  "a text, a number, true, false or null",
);
const direction = z.enum(["read", "write", "both"]);
/** One that is no number would otherwise be no factor at all, and 100 cents be 100. */
const factor = expecting(
  z.union([z.number(), z.string()]).refine((given) => {
    const by = canonicalDecimal(String(given));
    return by !== undefined && by !== "0";
  }),
  "a decimal number other than 0, such as 0.01",
);

/** An expression, or in a `lockstep.config.ts` a function; JSON Schema knows the former only. */
const isFunction = (value: unknown): boolean => typeof value === "function";
const ruleFunction = z.custom<RuleFunction<never>>(isFunction);
const ruleExpression = expecting(
  z.union([z.string().min(1), ruleFunction]),
  "an expression, or in TypeScript a function of what differs",
);
const recordExpression = (of: string): z.ZodType<string | RecordFunction<never>> =>
  expecting(
    z.union([z.string().min(1), z.custom<RecordFunction<never>>(isFunction)]),
    `${of}, or in TypeScript a function of the record`,
  );

const sideField = expecting(
  z.union([
    z.string().min(1),
    z.strictObject({
      field: z.string().min(1).optional(),
      constant: scalar.optional(),
      computed: recordExpression("an expression over the side's fields").optional(),
      direction: direction.optional(),
      default: scalar.optional(),
      table: z.record(z.string(), scalar).optional(),
      trim: z.literal(true).optional(),
      case: z.enum(["upper", "lower"]).optional(),
      scale: factor.optional(),
    }),
  ]),
  "the side's own field name, or a mapping with field (or constant, or computed), direction, default, table, trim, case, scale",
);

const side = expecting(
  z.strictObject({
    system: text("the name of a system"),
    stream: text("the name of a stream of that system"),
    direction: direction.optional().describe("Default: both."),
    filter: text("a filter in the system's own language").optional(),
    where: recordExpression("a condition over the shared fields").optional(),
    leaving: z.enum(["keep", "remove"]).optional().describe("Default: keep."),
    create: expecting(z.boolean(), "true or false").optional().describe("Default: true."),
    update: expecting(z.boolean(), "true or false").optional().describe("Default: true."),
    remove: expecting(
      z.union([
        z.enum(["delete", "never"]),
        z.strictObject({
          mark: expecting(
            z
              .record(z.string(), scalar)
              .refine((marks) => Object.keys(marks).length > 0, { abort: true }),
            "the fields, one at least, that mark a record as deleted",
          ),
        }),
      ]),
      "delete, never, or mark with the fields that mark a record as deleted",
    )
      .optional()
      .describe(
        "What a deletion elsewhere does here. Default: delete; never where direction is read.",
      ),
    observe: z.enum(["whole", "changes"]).optional().describe("Default: whole."),
    overlap: duration().optional().describe("Default: 10m."),
    refresh: duration()
      .optional()
      .describe("For observe: changes; read whole again when that was so long ago. Default: 1d."),
    digests: expecting(z.boolean(), "true or false")
      .optional()
      .describe(
        "Read only records whose digest changed, where the system tells it. Default: true.",
      ),
    clockOffset: expecting(
      z.string().regex(/^-?(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/),
      "a duration such as 2s or -1m",
    ).optional(),
    fields: expecting(
      z.record(z.string(), sideField.nullable()),
      "a mapping from shared fields to this side's",
    ).optional(),
    onCreate: expecting(
      z.record(z.string(), scalar),
      "a mapping from this side's fields to values",
    ).optional(),
  }),
  "a side's settings",
);

const time = expecting(
  z.union([
    z.string().min(1),
    ruleFunction,
    z.strictObject({ newer_than: z.strictObject({ side: z.string(), than: z.string() }) }),
    z.strictObject({ older_than: z.strictObject({ side: z.string(), than: z.string() }) }),
    z.strictObject({
      within: z.strictObject({ side: z.string(), age: duration() }),
    }),
    z.strictObject({
      before: z.strictObject({ side: z.string(), age: duration() }),
    }),
  ]),
  "newer_than or older_than {side, than}, within or before {side, age}, or an expression",
);

const rule = expecting(
  z.strictObject({
    name: text("the rule's name"),
    when: z
      .strictObject({
        field_priority: names("field name").optional(),
        source_priority: names("side name").optional(),
        value_based: ruleExpression.optional(),
        time_based: time.optional(),
      })
      .optional(),
    // biome-ignore lint/suspicious/noThenProperty: the configuration's word; never awaited.
    then: expecting(
      z.union([
        z.enum(["merge_fields", "use_latest"]),
        z.strictObject({ prefer_source: z.string().min(1) }),
        z.strictObject({ calculate: ruleExpression }),
      ]),
      "merge_fields, use_latest, prefer_source: SIDE, or calculate: EXPRESSION",
    ),
  }),
  "a rule with name, when and then",
);

const plainPolicy = expecting(
  z.union([
    z.enum(["latest-wins", "merge", "review"]),
    z.strictObject({ "latest-wins": z.strictObject({ ties: names("side name") }) }),
    z.strictObject({ priority: names("side name") }),
    z.strictObject({ prefer: z.string().min(1) }),
    z.strictObject({ rules: z.array(rule).min(1) }),
  ]),
  "latest-wins, merge, review, priority: [SIDES], prefer: SIDE, or rules: [RULES]",
);
const plainPolicies = expecting(
  z.union([plainPolicy, z.array(plainPolicy).min(1)]),
  "a policy or a list of policies (latest-wins, merge, review, priority: [SIDES], prefer: SIDE, rules: [RULES])",
);
const policy = expecting(
  z.union([
    ...plainPolicy.options,
    z.strictObject({
      "field-by-field": z.strictObject({
        fields: expecting(
          z.record(z.string(), plainPolicies),
          "a mapping from shared fields to policies",
        ),
        otherwise: plainPolicies.optional(),
      }),
    }),
  ]),
  "latest-wins, merge, review, priority: [SIDES], prefer: SIDE, rules: [RULES], or field-by-field: { fields: { FIELD: POLICY } }",
);
const policies = expecting(
  z.union([policy, z.array(policy).min(1)]),
  "a policy or a list of policies (latest-wins, merge, review, priority: [SIDES], prefer: SIDE, rules: [RULES], field-by-field: { fields: { FIELD: POLICY } })",
);

const sharedField = expecting(
  z.strictObject({
    type: z
      .enum([
        "text",
        "integer",
        "decimal",
        "boolean",
        "date",
        "time",
        "timestamp",
        "double",
        "json",
        "set",
        "list",
      ])
      .optional(),
    compare: expecting(
      z.strictObject({
        trim: z.boolean().optional(),
        ignoreCase: z.boolean().optional(),
        normalize: z.boolean().optional(),
        blankIsNull: z.boolean().optional(),
        scale: count().optional(),
        fraction: count().optional(),
      }),
      "trim, ignoreCase, normalize, blankIsNull, scale, fraction",
    ).optional(),
    policy: policies.optional(),
  }),
  "type, compare and policy, or nothing",
);

/** A sync with `sides`. */
export const RECONCILE_SCHEMA: z.ZodType<ReconcileInput> = expecting(
  z.strictObject({
    sides: expecting(z.record(nameSchema(), side), "a mapping from names to two or more sides"),
    hub: text("the name of a side")
      .optional()
      .describe("The side that is right where sides differ; `policy` is asked where it is silent."),
    match: oneOrMore("a shared field name or a list of them"),
    fields: expecting(
      z.record(z.string(), sharedField.nullable()),
      "a mapping from shared field names",
    ).optional(),
    policy: policies.optional().describe("Default: review."),
    deletes: expecting(
      z.strictObject({
        propagate: z.enum(["remove", "keep"]).optional(),
        againstEdit: z.enum(["edit-wins", "delete-wins", "review"]).optional(),
      }),
      "propagate and againstEdit",
    ).optional(),
    guard: expecting(
      z.strictObject({
        deleteShare: share().optional(),
        deleteCount: count().optional(),
        deleteFloor: count().optional(),
        changeShare: share().optional(),
        changeCount: count().optional(),
        changeFloor: count().optional(),
      }),
      "the guard's limits",
    ).optional(),
    tombstones: duration().optional().describe("Default: 90d."),
  }),
  "a sync's sides, hub, match, fields, policy, deletes, guard",
);
