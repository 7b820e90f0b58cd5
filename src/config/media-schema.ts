import { z } from "zod";
import type { MediaInput } from "./config-input.ts";
import { DURATION_EXPECTED, DURATION_PATTERN, SIZE_EXPECTED, SIZE_PATTERN } from "./quantities.ts";

/** Notes what a schema allows, in words. */
export type Expecting = <Schema extends z.ZodType>(schema: Schema, expected: string) => Schema;

const TYPE_PATTERN = /^[a-z]+\/([a-z0-9.+-]+|\*)$/;
const TYPE_EXPECTED = "a content type such as image/* or application/pdf";

interface Words {
  readonly text: (expected: string) => z.ZodString;
  readonly texts: (expected: string) => z.ZodArray<z.ZodString>;
  readonly duration: () => z.ZodString;
  readonly whole: (min: number, max: number) => z.ZodNumber;
  readonly expecting: Expecting;
}

/** The schema of a sync's `media`. */
export function mediaSchema(expecting: Expecting): z.ZodType<MediaInput> {
  const words: Words = {
    expecting,
    text: (expected) => expecting(z.string().min(1), expected),
    texts: (expected) => expecting(z.array(z.string().min(1)).min(1), expected),
    duration: () => expecting(z.string().regex(DURATION_PATTERN), DURATION_EXPECTED),
    whole: (min, max) =>
      expecting(z.number().int().min(min).max(max), `a whole number from ${min} to ${max}`),
  };
  const shape = { ...listShape(words), ...fileShape(words), ...accessShape(words) };
  return expecting(z.strictObject(shape), "`to`, and what is to be otherwise than usual").describe(
    "Files of the records, such as photos; fetched by `lockstep run --media`.",
  );
}

/** Whose files, and how they are listed. */
function listShape({ text, texts, expecting }: Words) {
  const link = z.strictObject({ field: text("a field"), parentField: text("a field") });
  return {
    stream: text("a stream of this sync")
      .optional()
      .describe("The records that have files. Default: Property."),
    relation: text("a relation such as Media")
      .optional()
      .describe("What lists their files. Default: Media."),
    from: z
      .enum(["expand", "stream"])
      .optional()
      .describe("Ask for the lists with the records, or the listing stream. Default: expand."),
    link: expecting(link, "a field and a parentField")
      .optional()
      .describe("How the listing stream names the record. Default: as the profile knows."),
    changedBy: text("a timestamp field of the stream")
      .optional()
      .describe("What moves when files change. Default: PhotosChangeTimestamp where there is one."),
    count: text("a field of the stream")
      .optional()
      .describe("What tells the number of files. Default: PhotosCount."),
    categories: texts("a list of kinds such as Photo, or *")
      .optional()
      .describe("Kinds of media to fetch, by MediaCategory; * is all. Default: Photo."),
  };
}

/** What a file may be, and how it is fetched. */
function fileShape({ duration, whole, expecting }: Words) {
  const retry = z.strictObject({
    attempts: whole(1, 100).optional(),
    maxWaitSeconds: expecting(z.number().positive().max(86_400), "seconds").optional(),
  });
  return {
    types: expecting(
      z.array(expecting(z.string().regex(TYPE_PATTERN), TYPE_EXPECTED)).min(1),
      "a list of content types such as image/* or application/pdf",
    )
      .optional()
      .describe("Content types allowed. Default: image/*."),
    maxSize: expecting(z.string().regex(SIZE_PATTERN), SIZE_EXPECTED)
      .optional()
      .describe("A larger file is parked. Default: 25MB."),
    concurrency: whole(1, 64).optional().describe("Files at the same time. Default: 4."),
    timeout: duration().optional().describe("For one file. Default: 60s."),
    urlMaxAge: duration()
      .optional()
      .describe("An older address is asked for anew before its file is fetched. Default: 30m."),
    retry: expecting(retry, "attempts and maxWaitSeconds")
      .optional()
      .describe("Tries of one file (default: 4), and the longest wait (default: 60)."),
  };
}

/** Where files go, and what the servers on both sides ask for. */
function accessShape({ text, texts, whole, expecting }: Words) {
  const secret = (): z.ZodOptional<z.ZodString> =>
    text("a reference").optional().describe("Reference: env:NAME or file:PATH.");
  const s3 = z.strictObject({
    endpoint: text("an address such as https://s3.example.com")
      .optional()
      .describe("The address of S3-compatible storage. Default: Amazon's."),
    region: text("a region such as eu-central-1").optional().describe("Default: us-east-1."),
    accessKey: secret(),
    secretKey: secret(),
    sessionToken: secret(),
    pathStyle: expecting(z.boolean(), "true or false")
      .optional()
      .describe("The bucket stands in the path. Default: true with an endpoint."),
  });
  const budget = z.strictObject({
    perSecond: whole(1, 100_000).optional(),
    perMinute: whole(1, 1_000_000).optional(),
    perHour: whole(1, 10_000_000).optional(),
    perDay: whole(1, 100_000_000).optional(),
    bytesPerMinute: whole(1, 1e15).optional(),
    bytesPerHour: whole(1, 1e15).optional(),
    bytesPerDay: whole(1, 1e15).optional(),
  });
  return {
    to: text("a folder such as ./photos, or s3://BUCKET/PREFIX").describe(
      "Where files are kept: a folder, or s3://BUCKET/PREFIX.",
    ),
    s3: expecting(s3, "endpoint, region and keys").optional(),
    budget: expecting(budget, "limits by window")
      .optional()
      .describe("Files to ask for and bytes to receive at most; apart from the system's."),
    sendToken: z
      .enum(["never", "bearer", "user-agent"])
      .optional()
      .describe("How the file server wants to see the token. Default: as the profile knows."),
    tokenHosts: texts("a list of host names")
      .optional()
      .describe("Hosts besides the service's own that may see it."),
  };
}
