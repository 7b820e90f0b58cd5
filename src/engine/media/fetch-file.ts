import { filePath, judgeType, type ListedFile, plainUrl, SNIFF_BYTES } from "../../core/media.ts";
import type { HeldFile } from "../../model/media.ts";
import type { Problem, RecordKey } from "../../model/record.ts";
import { retryAfterMs } from "../../model/retry-after.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { FileAnswer } from "../../ports/files.ts";
import { listAgain, type RecordListing } from "./list-files.ts";
import type { MediaWork } from "./media-work.ts";

/** What became of one file. */
export type FetchedFile =
  | { readonly kind: "stored"; readonly file: HeldFile }
  /** Listed no more, when its address was asked for anew. */
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly problem: Problem };

const BACKOFF_BASE_MS = 500;
/** So many files in a row without an answer are no trouble of single files. */
const OUTAGE_FILES = 10;

/**
 * Fetches a file and puts it into the store. Trouble with this file alone is told as a problem;
 * what concerns all files is thrown: the store's errors, and a server that answers nothing any
 * more. The address is asked for anew when it is old, and once when the server refuses it, since it
 * may have been signed for a while or for a single use.
 */
export async function fetchFile(
  work: MediaWork,
  from: RecordListing,
  listed: ListedFile,
  signal: AbortSignal,
): Promise<FetchedFile> {
  const { context, media, tally } = work;
  let file: ListedFile | undefined = listed;
  let listedAt = from.at;
  let isRenewed = false;
  const renew = async (): Promise<ListedFile | undefined> => {
    listedAt = context.clock.now();
    return listAgain(work, from.parent, listed.media);
  };
  for (let attempt = 1; ; attempt += 1) {
    if (context.clock.now() - listedAt > media.urlMaxAgeMs) file = await renew();
    if (file === undefined) return { kind: "gone" };
    try {
      const stored = await fetchOnce(work, from, file, signal);
      tally.outage = 0;
      return { kind: "stored", file: stored };
    } catch (error) {
      signal.throwIfAborted();
      if (!isSyncError(error) || isOfAll(error)) throw error;
      if (isAddressRefused(error) && !isRenewed) {
        isRenewed = true;
        file = await renew();
        // A fresh address is tried at once, and costs no try.
        attempt -= 1;
        continue;
      }
      if (attempt >= media.attempts || !mayPass(error)) return failed(work, error);
      await waitBefore(work, attempt, error, signal);
    }
  }
}

/** The store, the home, and what is no trouble with a file but a mistake of ours. */
function isOfAll({ code, intent }: SyncError): boolean {
  return code.startsWith("FILE_STORE_") || code.startsWith("HOME_") || intent === "bug";
}

const isAddressRefused = ({ context }: SyncError): boolean =>
  [401, 403, 404, 410, 429].includes(context.status ?? 0);

const mayPass = ({ intent, details }: SyncError): boolean =>
  intent === "retry" || details["again"] === true;

async function waitBefore(
  { context, media, spec, tally }: MediaWork,
  attempt: number,
  error: SyncError,
  signal: AbortSignal,
): Promise<void> {
  const bound = BACKOFF_BASE_MS * 2 ** (attempt - 1) * (0.5 + context.random.next() / 2);
  const waitMs = Math.round(
    Math.min(media.retryWaitMaxMs, Math.max(bound, error.retryAfterMs ?? 0)),
  );
  const at = context.clock.now();
  tally.retries += 1;
  tally.waitedMs += waitMs;
  const reason = `${error.message} The file is tried again.`;
  context.emit({ kind: "wait", at, stream: spec.stream, reason, untilMs: at + waitMs, attempt });
  await context.clock.sleep(waitMs, signal);
}

const OUTAGES: ReadonlySet<string> = new Set([
  "CONNECTOR_UNREACHABLE",
  "CONNECTOR_TIMEOUT",
  "CONNECTOR_RATE_LIMITED",
]);

/** A file is parked, unless the server has stopped to answer at all: then nothing is passed over. */
function failed({ tally }: MediaWork, error: SyncError): FetchedFile {
  const { code, message } = error;
  tally.outage = OUTAGES.has(code) || error.context.status === 401 ? tally.outage + 1 : 0;
  if (tally.outage < OUTAGE_FILES) return { kind: "failed", problem: { code, message } };
  throw new SyncError(
    code,
    `${tally.outage} files in a row could not be fetched; the last: ${message}`,
    {
      hint: error.hint,
      context: error.context,
      cause: error,
    },
  );
}

async function fetchOnce(
  work: MediaWork,
  { parent }: RecordListing,
  listed: ListedFile,
  signal: AbortSignal,
): Promise<HeldFile> {
  const { context, media, source, tally } = work;
  tally.requests += 1;
  const answer = await source.open(listed.address, signal);
  try {
    requireGood(answer, listed, media.maxBytes, context.clock.now());
    tally.outage = 0;
  } catch (error) {
    answer.discard();
    throw error;
  }
  const body = bounded(answer.body, listed, media.maxBytes, (bytes) => {
    tally.bytes += bytes;
  });
  try {
    return await storeFile(work, parent.key, listed, { body, answer, signal });
  } finally {
    await body.return(undefined);
  }
}

interface Incoming {
  readonly body: AsyncGenerator<Uint8Array>;
  readonly answer: FileAnswer;
  readonly signal: AbortSignal;
}

async function storeFile(
  { context, media, store }: MediaWork,
  parent: RecordKey,
  listed: ListedFile,
  { body, answer, signal }: Incoming,
): Promise<HeldFile> {
  const { head, content } = await withHead(body);
  if (head.length === 0) throw refusedFile(listed, "is empty", { again: true });
  const verdict = judgeType(answer.headers["content-type"], head, media.types);
  if (verdict.kind === "refused") {
    throw refusedFile(listed, verdict.why, { again: verdict.isWrongContent });
  }
  const id = { parent, media: listed.media };
  const path = filePath(media.stream, id, context.random.id().slice(0, 8), verdict.type);
  const { size, hash } = await store.put(path, content, { contentType: verdict.type }, signal);
  const announced = announcedSize(answer);
  if (announced !== undefined && size !== announced) {
    await store.remove(path);
    throw refusedFile(listed, `has ${size} bytes, not ${announced}`, { again: true });
  }
  return {
    ...id,
    url: listed.url,
    ...(listed.changedAt === undefined ? {} : { changedAt: listed.changedAt }),
    ...(listed.order === undefined ? {} : { order: listed.order }),
    contentType: verdict.type,
    size,
    hash,
    path,
    fetchedAt: context.clock.now(),
  };
}

/** Throws for any answer that is no file. */
function requireGood(
  { status, headers }: FileAnswer,
  listed: ListedFile,
  maxBytes: number,
  now: number,
): void {
  const context = { url: plainUrl(listed.address), status };
  const wait = retryAfterMs(headers, now);
  const more = { context, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  const said = `The file server answered ${status} for "${listed.media}".`;
  if (status === 429) throw new SyncError("CONNECTOR_RATE_LIMITED", said, more);
  if (status >= 500) throw new SyncError("CONNECTOR_UNAVAILABLE", said, more);
  if (status !== 200) {
    const isRefused = status === 401 || status === 403;
    const code = isRefused ? "CONNECTOR_UNAUTHORIZED" : "FILE_REFUSED";
    throw new SyncError(code, said, { ...more, details: { again: !isRefused } });
  }
  const size = announcedSize({ headers });
  if (size === 0) throw refusedFile(listed, "is empty", { again: true });
  if (size !== undefined && size > maxBytes) throw tooLarge(listed, maxBytes);
  const coding = headers["content-encoding"] ?? "identity";
  if (coding !== "identity")
    throw refusedFile(listed, `is packed as "${coding}"`, { again: false });
}

function announcedSize({ headers }: Pick<FileAnswer, "headers">): number | undefined {
  const text = headers["content-length"];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

const tooLarge = (listed: ListedFile, maxBytes: number): SyncError =>
  refusedFile(listed, `has more than ${maxBytes} bytes, which \`media.maxSize\` allows`, {
    again: false,
  });

function refusedFile(
  { media, address }: ListedFile,
  why: string,
  details: { readonly again: boolean },
): SyncError {
  return new SyncError("FILE_REFUSED", `The file "${media}" ${why}.`, {
    context: { url: plainUrl(address) },
    details,
  });
}

/** The body, counted; throws when it is too long, whatever was announced. */
async function* bounded(
  body: AsyncIterable<Uint8Array>,
  listed: ListedFile,
  maxBytes: number,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    count(chunk.length);
    if (size > maxBytes) throw tooLarge(listed, maxBytes);
    yield chunk;
  }
}

/** The first bytes of a body, and the whole of it. */
async function withHead(body: AsyncGenerator<Uint8Array>): Promise<{
  readonly head: Uint8Array;
  readonly content: AsyncIterable<Uint8Array>;
}> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < SNIFF_BYTES) {
    const step = await body.next();
    if (step.done === true) break;
    chunks.push(step.value);
    size += step.value.length;
  }
  return { head: joined(chunks), content: onward(chunks, body) };
}

async function* onward(
  chunks: readonly Uint8Array[],
  body: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* body;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
