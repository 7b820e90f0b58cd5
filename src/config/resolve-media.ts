import { resolve } from "node:path";
import type { FilePlace, MediaSpec, TokenUse } from "../model/media.ts";
import type { StreamDefaults } from "../model/replicate.ts";
import type { MediaInput } from "./config-input.ts";
import { type ConfigPath, type ConfigProblem, showValue } from "./config-problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { parseDuration, parseSize } from "./quantities.ts";
import { isSecretReference } from "./secrets.ts";

/** What only those need who reach the files; secrets are still references. */
export interface MediaAccess {
  readonly s3: NonNullable<MediaInput["s3"]>;
  readonly budget: NonNullable<MediaInput["budget"]>;
  readonly timeoutMs: number;
  readonly token: { readonly use: TokenUse; readonly hosts: readonly string[] };
}

interface MediaSurroundings {
  readonly path: ConfigPath;
  /** Where relative paths are meant from. */
  readonly directory: string;
  /** Streams of the sync. */
  readonly streams: readonly string[];
  readonly defaults: Readonly<Record<string, StreamDefaults>>;
  readonly problems: ConfigProblem[];
}

const DEFAULT_URL_AGE_MS = 30 * 60_000;
const SECRETS = ["accessKey", "secretKey", "sessionToken"] as const;

/** A sync's `media` with every default filled in; mistakes are added to `problems`. */
export function resolveMedia(
  input: MediaInput,
  around: MediaSurroundings,
): { readonly media: MediaSpec; readonly access: MediaAccess } {
  const { path, streams, defaults, problems } = around;
  const stream = input.stream ?? (streams.includes("Property") ? "Property" : streams[0]) ?? "";
  if (!streams.includes(stream)) {
    problems.push({
      path: [...path, "stream"],
      message: `is ${showValue(stream)}, which is no stream of this sync${didYouMean(stream, streams)}; allowed: ${streams.join(", ")}`,
    });
  }
  checkSecrets(input, [...path, "s3"], problems);
  const known = defaults[stream]?.media ?? {};
  const relation = input.relation ?? "Media";
  const link = input.link ?? known.link ?? linkOf(defaults[relation], stream);
  const changedBy = input.changedBy ?? known.changedBy;
  const media: MediaSpec = {
    stream,
    relation,
    from: input.from ?? "expand",
    ...(link === undefined ? {} : { link }),
    ...(changedBy === undefined ? {} : { changedBy }),
    countField: input.count ?? "PhotosCount",
    categories: input.categories ?? ["Photo"],
    types: input.types ?? ["image/*"],
    maxBytes: (input.maxSize === undefined ? undefined : parseSize(input.maxSize)) ?? 25_000_000,
    concurrency: input.concurrency ?? 4,
    ...triesOf(input.retry),
    urlMaxAgeMs: msOf(input.urlMaxAge, known.urlMaxAgeMs ?? DEFAULT_URL_AGE_MS),
    to: placeOf(input, around),
  };
  return { media, access: accessOf(input, known.token) };
}

function triesOf({
  attempts = 4,
  maxWaitSeconds = 60,
}: NonNullable<MediaInput["retry"]> = {}): Pick<MediaSpec, "attempts" | "retryWaitMaxMs"> {
  return { attempts, retryWaitMaxMs: Math.round(maxWaitSeconds * 1000) };
}

function accessOf(
  input: MediaInput,
  token: MediaAccess["token"] = { use: "never", hosts: [] },
): MediaAccess {
  return {
    s3: input.s3 ?? {},
    budget: input.budget ?? {},
    timeoutMs: msOf(input.timeout, 60_000),
    token: { use: input.sendToken ?? token.use, hosts: input.tokenHosts ?? token.hosts },
  };
}

/** The schema has let only durations through. */
function msOf(text: string | undefined, otherwise: number): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
}

function linkOf(defaults: StreamDefaults | undefined, stream: string): MediaSpec["link"] {
  const parent = defaults?.parent;
  if (parent?.stream === stream) return { field: parent.field, parentField: parent.parentField };
  if (stream !== "Property") return undefined;
  return { field: "ResourceRecordKey", parentField: "ListingKey" };
}

function placeOf(
  { to, s3 }: MediaInput,
  { path, directory, problems }: MediaSurroundings,
): FilePlace {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(to) ?? [];
  if (!/^[a-z0-9]+:\/\//i.test(to)) {
    if (s3 !== undefined) {
      problems.push({ path: [...path, "s3"], message: "is set, but `to` is a folder" });
    }
    return { kind: "folder", path: resolve(directory, to) };
  }
  if (!/^[a-z0-9][a-z0-9._-]{1,62}$/.test(bucket)) {
    // Whatever stands there may hold a password, so it is not shown.
    problems.push({
      path: [...path, "to"],
      message: "is no folder and no address of a bucket; expected ./FOLDER or s3://BUCKET/PREFIX",
    });
  }
  return { kind: "s3", bucket, prefix: prefix.replace(/^\/+|\/+$/g, "") };
}

function checkSecrets({ s3 = {} }: MediaInput, path: ConfigPath, problems: ConfigProblem[]): void {
  for (const key of SECRETS) {
    const given = s3[key];
    if (given === undefined || isSecretReference(given)) continue;
    problems.push({
      path: [...path, key],
      message:
        "must be a reference to the secret, not the secret itself; allowed: env:NAME, file:PATH",
      hint: `Put the secret into an environment variable and write \`${key}: env:NAME\`; if the file was shared, renew the secret.`,
    });
  }
  if ((s3.accessKey === undefined) === (s3.secretKey === undefined)) return;
  const missing = s3.accessKey === undefined ? "accessKey" : "secretKey";
  problems.push({ path: [...path, missing], message: "is missing; expected both keys or neither" });
}
