import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SyncError } from "../../model/sync-error.ts";
import { unwritable } from "./new-file.ts";

export interface LockPatience {
  /** How long another holder of the lock is waited for. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
  /**
   * When the process of that number began, so that a later one of the same number is told apart.
   */
  readonly began?: string;
}

/** How often the lock of another process is looked at. */
const LOOK_MS = 20;
/** Whoever makes a lock fills it at once: one that stays empty for so long is a dead process's. */
const NAMELESS_MS = 2_000;

/** Where a file system has no hard links. */
const NO_LINKS: readonly string[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * Takes the lock file beside a file; what is given back removes it. The lock of a killed process is
 * taken over. Throws SYSTEM_LOCKED while another process has it, DESTINATION_UNWRITABLE.
 */
export async function takeFileLock(
  path: string,
  { patienceMs, signal }: LockPatience,
): Promise<() => Promise<void>> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  const began = await beginningOf(process.pid);
  const own: LockHolder = {
    pid: process.pid,
    host: hostname(),
    id: randomUUID(),
    ...(began === undefined ? {} : { began }),
  };
  const claim = join(dirname(path), `${claimStart(path)}${own.id}`);
  let namelessMs = 0;
  try {
    for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
      const text = await readFile(lock, "utf8").catch(() => undefined);
      const holder = text === undefined ? undefined : holderIn(text);
      namelessMs = text === undefined || holder !== undefined ? 0 : namelessMs + LOOK_MS;
      if (text === undefined || namelessMs > NAMELESS_MS || (await isDead(holder))) {
        if (text !== undefined) await moveAway(lock, text);
        if (await isMade(lock, claim, own)) return () => rm(lock, { force: true });
      }
      if (waitedMs >= patienceMs) break;
      await pause(LOOK_MS, signal);
    }
  } finally {
    await rm(claim, { force: true }).catch(() => undefined);
  }
  throw new SyncError("SYSTEM_LOCKED", `The file "${path}" is being written by another process.`, {
    hint: `Wait for it. If none runs, remove "${lock}".`,
  });
}

const claimStart = (path: string): string => `.${basename(path)}.claim-`;

/**
 * Takes away what killed processes left of their tries for the lock. Needs the lock; a process that
 * is at it now makes its claim anew.
 */
export async function sweepClaims(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(claimStart(path))) await rm(join(dirname(path), name), { force: true });
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}

/**
 * The lock takes its name with its holder in it, or not at all: a process that is killed while it
 * makes an empty file and writes into it would leave a lock that nobody can be told to be dead by.
 */
async function isMade(lock: string, claim: string, holder: LockHolder): Promise<boolean> {
  const text = JSON.stringify(holder);
  await attempt(lock, () => writeFile(claim, text));
  // ENOENT: whoever has the lock swept the claim away.
  const linked = await attempt(lock, () => link(claim, lock), "EEXIST", "ENOENT", ...NO_LINKS);
  if (linked === undefined || !NO_LINKS.includes(linked)) return linked === undefined;
  return (await attempt(lock, () => writeFile(lock, text, { flag: "wx" }), "EEXIST")) === undefined;
}

/** Nothing when it was done, or the code of an error among those that are expected. */
async function attempt(
  lock: string,
  act: () => Promise<void>,
  ...expected: readonly string[]
): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    const code = expected.find((one) => one === codeOf(error));
    if (code === undefined) throw unwritable(lock, error);
    return code;
  }
}

/** Only one of several finders of a lock that is nobody's succeeds. */
async function moveAway(lock: string, text: string): Promise<void> {
  const moved = `${lock}-${randomUUID()}`;
  try {
    await rename(lock, moved);
  } catch {
    return;
  }
  const taken = await readFile(moved, "utf8").catch(() => text);
  // A live process took the lock between the look and the move: it gets it back.
  if (taken !== text) await link(moved, lock).catch(() => undefined);
  await rm(moved, { force: true });
}

/** Nothing for a lock that is empty or cut. */
function holderIn(text: string): Partial<LockHolder> | undefined {
  try {
    return JSON.parse(text) as Partial<LockHolder>;
  } catch {
    return undefined;
  }
}

async function isDead(holder: Partial<LockHolder> | undefined): Promise<boolean> {
  if (holder?.host !== hostname() || typeof holder.pid !== "number") return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    if (codeOf(error) === "ESRCH") return true;
  }
  if (holder.began === undefined) return false;
  const began = await beginningOf(holder.pid);
  return began !== undefined && began !== holder.began;
}

/**
 * Which start of the machine, and how long after it, the process of that number began; nothing
 * where the system does not tell (only Linux does).
 */
async function beginningOf(pid: number): Promise<string | undefined> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in brackets, and may hold brackets and blanks itself.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TICKS];
    return ticks === undefined ? undefined : `${boot.trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}

/** Place of `starttime` among the fields behind the name; see `man 5 proc_pid_stat`. */
const START_TICKS = 19;

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null)?.code;
