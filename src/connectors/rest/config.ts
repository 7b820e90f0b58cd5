import { z } from "zod";
import { FIELD_TYPES, type FieldWord } from "../../model/field-words.ts";
import { grantShape } from "../http/grant-config.ts";
import { serviceUrl } from "../http/service-url.ts";
import { authIssues, streamIssues } from "./config-issues.ts";
import { type RestConfig, type RestStreamConfig, ROUTE } from "./config-types.ts";

export const REST_SECRETS: readonly string[] = [
  "token",
  "username",
  "password",
  "apiKey",
  "clientId",
  "clientSecret",
];

const name = z.string().min(1);
const positive = (max: number): z.ZodNumber => z.number().int().min(1).max(max);
const words = Object.keys(FIELD_TYPES) as [FieldWord, ...FieldWord[]];

const route = (methods: string): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .regex(ROUTE, `must be a path that begins with "/", after a method such as ${methods}`)
    .optional();

const size = {
  sizeParameter: name.optional().describe("Parameter for the number of records on a page."),
  size: positive(100_000).optional().describe("How many records to ask for."),
};
const sizeNeeded = {
  sizeParameter: name.describe("Parameter for the number of records on a page."),
  size: z.number().int().min(2).max(100_000).describe("How many records to ask for; at least 2."),
};

const paging = z.discriminatedUnion("style", [
  z.strictObject({
    style: z.literal("none"),
    size: size.size.describe("How many records are handled at a time. Default: 500."),
  }),
  z.strictObject({
    style: z.literal("page"),
    parameter: name.describe("Parameter for the page's number."),
    first: z
      .number()
      .int()
      .min(0)
      .max(1)
      .optional()
      .describe("Number of the first page. Default: 1."),
    ...sizeNeeded,
  }),
  z.strictObject({
    style: z.literal("offset"),
    parameter: name.describe("Parameter for how many records to pass over."),
    ...sizeNeeded,
  }),
  z.strictObject({
    style: z.literal("cursor"),
    parameter: name.describe("Parameter that takes the token."),
    from: name.describe("Where the next token stands: a path in the answer, or header:NAME."),
    ...size,
  }),
  z.strictObject({ style: z.literal("link"), ...size }),
  z.strictObject({
    style: z.literal("next"),
    from: name.describe("Where the next page's address stands: a path in the answer."),
    ...size,
  }),
]);

const errors = z
  .record(name, z.enum(["rejected", "conflict", "retry", "unauthorized", "missing"]))
  .describe("What a status, or a code in the body of an error, stands for.");

const field = z.union([
  z.enum(words),
  z.strictObject({
    type: z.enum(words),
    path: name.optional().describe("Where it stands in a record, such as pricing.amount."),
    readOnly: z.boolean().optional().describe("It is never written."),
    required: z.boolean().optional().describe("It is never null."),
  }),
]);

const stream = z
  .strictObject({
    list: z
      .string()
      .regex(ROUTE, 'must be a path that begins with "/"')
      .describe("Path of the list; fixed parameters may follow."),
    get: route("GET").describe("Path of one record, such as /items/{id}."),
    create: route("POST").describe("Such as POST /items."),
    update: route("PATCH or PUT").describe("Such as PATCH /items/{id}."),
    delete: route("DELETE").describe("Such as DELETE /items/{id}."),
    records: name.optional().describe("Where the records stand in a list's answer, such as data."),
    record: name.optional().describe("Where the record stands in the answer for one."),
    total: name.optional().describe("Where a list's answer has the number of all records."),
    key: z.union([name, z.array(name).min(1)]).describe("The field, or fields, of the key."),
    assigned: z.boolean().optional().describe("The API makes the keys. Default: false."),
    fields: z.record(name, field).optional().describe("Types. Default: told from the first page."),
    deleted: name
      .optional()
      .describe("Where a record says that it is deleted, by true or any value such as a time."),
    modifiedAt: name.optional().describe("Field with the time of last change."),
    paging: paging.optional(),
    changes: z
      .union([
        name,
        z.strictObject({
          parameter: name,
          format: z
            .enum(["iso", "iso-seconds", "epoch-seconds", "epoch-ms", "date"])
            .optional()
            .describe("How the time is written. Default: iso."),
        }),
      ])
      .optional()
      .describe("Parameter of the list for the time since when records changed."),
    keys: z
      .union([
        name,
        z.strictObject({ parameter: name, join: z.enum(["comma", "repeat"]).optional() }),
      ])
      .optional()
      .describe("Parameter of the list for keys."),
    etag: z.boolean().optional().describe("Write only over what was seen, by ETag and If-Match."),
    idempotency: name
      .optional()
      .describe("Header that takes a key by which a create is done once."),
    decimals: z.enum(["number", "text"]).optional().describe("How decimals are sent in a create."),
    errors: errors.optional(),
    batch: positive(1_000).optional().describe("Writes at most at one time. Default: 20."),
  })
  .check((context) => {
    context.issues.push(...streamIssues(context.value as RestStreamConfig));
  });

/** The schema of a system of connector `rest`, for `ConnectorKind.settings`. */
export const restConfigSchema: z.ZodObject = z
  .strictObject({
    url: serviceUrl.describe("What all paths begin with, such as https://example.com/api/v2."),
    token: name.optional().describe("Reference to a bearer token: env:NAME or file:PATH."),
    ...grantShape,
    username: name.optional().describe("Reference to the user's name, for basic authentication."),
    password: name.optional().describe("Reference to the user's password."),
    apiKey: name.optional().describe("Reference to an API key."),
    apiKeyHeader: name.optional().describe("The header that takes the API key."),
    apiKeyParameter: name.optional().describe("The parameter that takes the API key."),
    headers: z.record(name, z.string()).optional().describe("Sent with every request; no secrets."),
    paging: paging.optional().describe("How lists go on, of streams that do not say it."),
    errors: errors.optional(),
    keysPerRead: positive(1_000).optional().describe("Keys in one request. Default: 50."),
    concurrency: positive(64).optional().describe("Requests at the same time at most. Default: 2."),
    timeoutSeconds: positive(3_600).optional().describe("For one request. Default: 60."),
    budget: z
      .strictObject({
        perSecond: positive(100_000).optional(),
        perMinute: positive(1_000_000).optional(),
        perHour: positive(10_000_000).optional(),
        perDay: positive(100_000_000).optional(),
      })
      .optional()
      .describe("Requests to send at most."),
    retry: z
      .strictObject({
        attempts: positive(100).optional(),
        maxWaitSeconds: z.number().positive().max(86_400).optional(),
      })
      .optional()
      .describe("How often and how long trouble that may pass is waited out."),
    streams: z
      .record(name, stream)
      .refine((streams) => Object.keys(streams).length > 0, "must have a stream"),
  })
  .check((context) => {
    context.issues.push(...authIssues(context.value as unknown as RestConfig));
  });
