import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { didYouMean } from "../config/did-you-mean.ts";
import { DURATION_EXPECTED, parseDuration } from "../config/quantities.ts";
import type { Lockstep } from "../engine/lockstep.ts";
import type { ReconcileInfo } from "../engine/reconcile/verbs.ts";
import type { RecordKey } from "../model/record.ts";
import { SyncError } from "../model/sync-error.ts";

/** A wrong argument: what it is and what was allowed, as one sentence. */
export function usage(message: string, hint?: string): SyncError {
  return new SyncError("USAGE", message, hint === undefined ? {} : { hint });
}

/** For options that may be repeated; a comma parts several names. */
export function collectNames(text: string, previous: readonly string[] = []): readonly string[] {
  return [
    ...previous,
    ...text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  ];
}

/** For options that may be repeated and whose value may hold commas, such as keys. */
export function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text];
}

export function wholeNumber(option: string, min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && Number.isSafeInteger(value)) return value;
    throw usage(`${option} is "${text}"; expected a whole number of at least ${min}.`);
  };
}

/**
 * A point in time: a duration back from now (`1d`), a local date or time (`2026-11-01`,
 * `2026-11-01T08:00`), or a timestamp with its zone. Gives epoch milliseconds.
 */
export function pointInTime(option: string, text: string, now: number): number {
  const back = parseDuration(text);
  if (back !== undefined) return now - back;
  if (/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}.*)?$/.test(text)) {
    const at = Date.parse(text.includes("T") ? text : `${text}T00:00`);
    if (!Number.isNaN(at)) return at;
  }
  throw usage(
    `${option} is "${text}"; expected ${DURATION_EXPECTED}, or a date such as 2026-11-01 or 2026-11-01T08:00.`,
  );
}

/** `Active:Pending`, `Active:`, `:Closed`: either side may be left open. */
export function transition(text: string): { readonly before?: string; readonly after?: string } {
  const parts = text.split(":");
  const [before = "", after = ""] = parts.map((part) => part.trim());
  if (parts.length !== 2 || (before === "" && after === "")) {
    throw usage(
      `--transition is "${text}"; expected two values such as Active:Pending, of which one may be left out.`,
    );
  }
  return { ...(before === "" ? {} : { before }), ...(after === "" ? {} : { after }) };
}

/** One of the words allowed. */
export function oneOf<Word extends string>(
  option: string,
  words: readonly Word[],
  text: string,
): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usage(`${option} is "${text}"${didYouMean(text, words)}; allowed: ${words.join(", ")}.`);
}

/** The syncs that a command means: the named one, or all. */
export function chosenSyncs(lockstep: Lockstep, name: string | undefined): readonly string[] {
  const known = lockstep.syncs.map((sync) => sync.name);
  if (name === undefined) return known;
  if (chosenOfBoth(lockstep, name).sides.length > 0) {
    throw usage(
      `"${name}" keeps sides in step, and this command is about copies.`,
      `Look at it with \`lockstep plan ${name}\`, \`lockstep history ${name}\` and \`lockstep status ${name}\`.`,
    );
  }
  return [name];
}

/** The syncs of both kinds that a command means, by kind: the named one, or all. */
export function chosenOfBoth(
  lockstep: Lockstep,
  name: string | undefined,
): { readonly copies: readonly string[]; readonly sides: readonly string[] } {
  const copies = lockstep.syncs.map((sync) => sync.name);
  const sides = lockstep.reconcile.syncs.map((sync) => sync.name);
  const asked = name === undefined ? undefined : oneOf("The sync", [...copies, ...sides], name);
  const mine = (one: string): boolean => asked === undefined || one === asked;
  return { copies: copies.filter(mine), sides: sides.filter(mine) };
}

/** Refuses a command about copies where no sync makes one. */
export function refuseWithoutCopies(lockstep: Lockstep): void {
  if (lockstep.syncs.length > 0) return;
  throw usage(
    "This command is about copies, and no sync here makes one.",
    "Of sides: `lockstep explain SYNC RECORD` and `lockstep verify SYNC`.",
  );
}

/** Refuses what runs syncs where none is configured: nothing would look like all is well. */
export function refuseWithoutSyncs(lockstep: Lockstep): void {
  if (lockstep.syncs.length + lockstep.reconcile.syncs.length > 0) return;
  throw usage(
    "No sync is configured.",
    "Write one under `syncs`; `lockstep init reconcile` proposes one of sides.",
  );
}

/** The sync of sides of that name. */
export function chosenSides(lockstep: Lockstep, name: string): ReconcileInfo {
  const { sides } = chosenOfBoth(lockstep, name);
  const info = lockstep.reconcile.syncs.find((sync) => sides.includes(sync.name));
  if (info !== undefined) return info;
  throw usage(
    `"${name}" is a copy of one system, and this command is about syncs of sides.`,
    `Look at it with \`lockstep changes --sync ${name}\` and \`lockstep verify ${name}\`.`,
  );
}

/** True when one of the syncs of sides has a side of that name. */
export function isSideOf(lockstep: Lockstep, syncs: readonly string[], name: string): boolean {
  return lockstep.reconcile.syncs.some(
    (sync) => syncs.includes(sync.name) && sync.sides.some(({ side }) => side === name),
  );
}

/** Options of a copy mean nothing to a sync of sides. */
export function refuseCopyOptions(sync: string, options: Readonly<Record<string, unknown>>): void {
  const [given] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (given === undefined) return;
  const option = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usage(`--${option} is for copies; "${sync}" keeps sides in step.`);
}

/** Refuses a stream that no chosen sync has; the name of a sync's files counts where it may. */
export function checkStreams(
  lockstep: Lockstep,
  syncs: readonly string[],
  streams: readonly string[],
  hasFiles = false,
): void {
  const known = lockstep.syncs
    .filter(({ name }) => syncs.includes(name))
    .flatMap((sync) => [
      ...sync.streams.map(({ stream }) => stream),
      ...(hasFiles && sync.files !== undefined ? [sync.files.stream] : []),
    ]);
  for (const stream of streams) oneOf("The stream", known, stream);
}

/** Keys given one by one and in a file, one a line; `-` reads standard input. */
export function gatherKeys(
  keys: readonly string[],
  file: string | undefined,
  directory: string,
): readonly RecordKey[] {
  const listed = file === undefined ? [] : readLines(file, directory);
  return [...new Set([...keys, ...listed])] as RecordKey[];
}

function readLines(file: string, directory: string): readonly string[] {
  return readKeysFile(file, directory)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function readKeysFile(file: string, directory: string): string {
  try {
    return readFileSync(file === "-" ? 0 : resolve(directory, file), "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): SyncError {
  return new SyncError("USAGE", `The file of keys "${file}" cannot be read.`, {
    hint: "Name a text file with one key a line.",
    cause,
  });
}
