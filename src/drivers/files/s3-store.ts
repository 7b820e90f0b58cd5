import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { FileStore, StoredFile } from "../../ports/files.ts";

/** How S3-compatible storage is reached. Without keys: as the environment's own AWS settings say. */
export interface S3Options {
  readonly bucket: string;
  /** Before every name; no slash at either end. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly sessionToken?: string;
  /** The bucket stands in the path of the address instead of its host name. */
  readonly pathStyle?: boolean;
}

/** A larger file goes up in parts of this size; no more of a file is held in memory. */
const PART_BYTES = 8 * 1024 * 1024;

/** Files in a bucket. A put, in one piece or in parts, shows the object only when all is there. */
export function createS3Store(options: S3Options): FileStore {
  const { bucket: Bucket, prefix } = options;
  const client = clientOf(options);
  const keyOf = (path: string): string => (prefix === "" ? path : `${prefix}/${path}`);
  const location = `s3://${[Bucket, prefix].filter((part) => part !== "").join("/")}`;
  const asked = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      throw translate(error, location, what);
    }
  };
  const sizeOf = async (path: string): Promise<number | undefined> => {
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(path) }));
      return head.ContentLength;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw translate(error, location, "read");
    }
  };

  return {
    location,
    async check(abortSignal) {
      const one = new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 });
      await asked("read", () => client.send(one, { abortSignal }));
    },
    size: sizeOf,
    async put(path, content, { contentType }, signal) {
      const about = { Bucket, Key: keyOf(path), ContentType: contentType };
      const stored = await upload(client, about, content, signal, (act) => asked("written", act));
      if ((await sizeOf(path)) !== stored.size) {
        throw new SyncError(
          "FILE_STORE_REFUSED",
          `The object "${path}" in ${location} has another size than was sent.`,
        );
      }
      return stored;
    },
    async *read(path) {
      const object = await asked("read", () =>
        client.send(new GetObjectCommand({ Bucket, Key: keyOf(path) })),
      );
      if (object.Body !== undefined) yield await object.Body.transformToByteArray();
    },
    async remove(path) {
      await asked("written", () =>
        client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(path) })),
      );
    },
    async clear(folder, keep) {
      const kept = new Set([...keep].map(keyOf));
      const below = `${keyOf(folder)}/`;
      const removed = await asked("written", () => clearObjects(client, Bucket, below, kept));
      return removed + (await asked("written", () => abortUploads(client, Bucket, below)));
    },
    async close() {
      client.destroy();
    },
  };
}

function clientOf(options: S3Options): S3Client {
  const { endpoint, region = "us-east-1", accessKey, secretKey, sessionToken } = options;
  return new S3Client({
    region,
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    // What speaks S3 besides AWS need not know the newer checksums; Content-MD5 is known to all.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: accessKey,
            secretAccessKey: secretKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }),
  });
}

interface About {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
}

type Asked = <T>(act: () => Promise<T>) => Promise<T>;

/** Small files in one request, larger ones in parts; each part's MD5 is checked by the server. */
async function upload(
  client: S3Client,
  about: About,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  asked: Asked,
): Promise<StoredFile> {
  const hash = createHash("sha256");
  const { Bucket, Key } = about;
  const options = { abortSignal: signal };
  const done: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  let size = 0;
  let uploadId: string | undefined;
  try {
    for await (const { body, isLast } of piecesOf(content)) {
      signal.throwIfAborted();
      hash.update(body);
      size += body.length;
      const ContentMD5 = createHash("md5").update(body).digest("base64");
      if (isLast && uploadId === undefined) {
        const whole = new PutObjectCommand({ ...about, Body: body, ContentMD5 });
        await asked(() => client.send(whole, options));
        return { size, hash: hash.digest("hex") };
      }
      uploadId ??= (
        await asked(() => client.send(new CreateMultipartUploadCommand(about), options))
      ).UploadId;
      const PartNumber = done.length + 1;
      const part = { Bucket, Key, UploadId: uploadId, PartNumber, Body: body, ContentMD5 };
      const sent = await asked(() => client.send(new UploadPartCommand(part), options));
      done.push({ PartNumber, ETag: sent.ETag });
    }
    const MultipartUpload = { Parts: done };
    const whole = { Bucket, Key, UploadId: uploadId, MultipartUpload };
    await asked(() => client.send(new CompleteMultipartUploadCommand(whole), options));
    return { size, hash: hash.digest("hex") };
  } catch (error) {
    if (uploadId !== undefined) {
      // What cannot be given up now is taken away by `clear`.
      const given = new AbortMultipartUploadCommand({ Bucket, Key, UploadId: uploadId });
      await client.send(given).catch(() => undefined);
    }
    signal.throwIfAborted();
    throw error;
  }
}

/** The content in pieces of the size of a part; the last may be smaller, or empty. */
async function* piecesOf(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly body: Buffer; readonly isLast: boolean }> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    // A piece goes out only when more follows, so that the last one is known to be the last.
    if (size >= PART_BYTES) {
      yield { body: Buffer.concat(held), isLast: false };
      held = [];
      size = 0;
    }
    held.push(chunk);
    size += chunk.length;
  }
  yield { body: Buffer.concat(held), isLast: true };
}

async function clearObjects(
  client: S3Client,
  Bucket: string,
  Prefix: string,
  kept: ReadonlySet<string>,
): Promise<number> {
  let removed = 0;
  let token: string | undefined;
  do {
    const list = new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: token });
    const page = await client.send(list);
    for (const { Key } of page.Contents ?? []) {
      if (Key === undefined || kept.has(Key)) continue;
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
      removed += 1;
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return removed;
}

/** Uploads in parts that nobody will finish. Storage that cannot list them keeps them itself. */
async function abortUploads(client: S3Client, Bucket: string, Prefix: string): Promise<number> {
  const list = new ListMultipartUploadsCommand({ Bucket, Prefix });
  const listed = await client.send(list).catch((error: unknown) => {
    if ([400, 404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  });
  const open = (listed?.Uploads ?? []).filter(({ Key }) => Key?.startsWith(Prefix) === true);
  for (const { Key, UploadId } of open) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  return open.length;
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

/** The client has tried again by itself what may pass. Its errors hold no secret. */
function translate(error: unknown, location: string, what: string): unknown {
  if (isSyncError(error) || !(error instanceof Error) || error.name === "AbortError") return error;
  const status = statusOf(error);
  const isRefused = status !== undefined && status >= 400 && status < 500 && status !== 429;
  const isMissing = /^Credentials|CredentialsProviderError/.test(error.name);
  const why = status === undefined ? error.message : `${status} ${error.name}: ${error.message}`;
  return new SyncError(
    isRefused || isMissing ? "FILE_STORE_REFUSED" : "FILE_STORE_UNREACHABLE",
    `The bucket ${location} cannot be ${what}: ${why.replace(/\s+/g, " ").slice(0, 300)}.`,
    { cause: error },
  );
}
