import { once } from "node:events";
import { createReadStream, createWriteStream, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import type { PlanHead, PlannedRecord } from "../model/plan.ts";
import { plannedFromText, plannedToText } from "../model/stored-plan.ts";
import { SyncError } from "../model/sync-error.ts";
import type { FilesPlanJson, PlanJson } from "./json.ts";

/** Writes a plan of a copy for `--out`, as one JSON value. Throws USAGE. */
export function writePlan(file: string, json: PlanJson | FilesPlanJson): void {
  try {
    writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** Saves a plan: its head as the first line, then a line for each record. Throws USAGE. */
export async function writePlanFile(
  file: string,
  head: PlanHead,
  records: AsyncIterable<PlannedRecord>,
): Promise<void> {
  const out = createWriteStream(file);
  const ended = finished(out);
  // Seen below; without a listener of its own a failure in between would end the process.
  ended.catch(() => undefined);
  try {
    out.write(`${JSON.stringify(head)}\n`);
    for await (const record of records) {
      if (!out.write(`${plannedToText(record)}\n`)) await Promise.race([once(out, "drain"), ended]);
    }
    out.end();
    await ended;
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, cause: unknown): SyncError {
  return new SyncError("USAGE", `The plan cannot be written to "${file}".`, {
    hint: "Name a file in a folder that exists and that you may write to.",
    cause,
  });
}

/** A saved plan: its head, and its records one by one, to be read once. Throws USAGE. */
export async function readPlanFile(
  file: string,
): Promise<{ readonly head: PlanHead; readonly records: AsyncIterable<PlannedRecord> }> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next().catch((error: unknown) => {
    throw noPlan(file, "it cannot be read", error);
  });
  const head = first.done === true ? undefined : headOf(first.value);
  if (head === undefined) {
    lines.close();
    throw noPlan(file, "its first line is not the head of one");
  }
  return { head, records: recordsOf(file, iterator) };
}

async function* recordsOf(
  file: string,
  lines: AsyncIterator<string>,
): AsyncIterable<PlannedRecord> {
  for (let number = 2; ; number += 1) {
    const line = await lines.next();
    if (line.done === true) return;
    if (line.value === "") continue;
    try {
      yield plannedFromText(line.value);
    } catch (error) {
      throw noPlan(file, `line ${number} is not a record of one`, error);
    }
  }
}

function headOf(line: string): PlanHead | undefined {
  try {
    const head = JSON.parse(line) as Partial<PlanHead> | null;
    const isHead =
      head?.format === 1 &&
      typeof head.plan === "string" &&
      typeof head.sync === "string" &&
      typeof head.basis === "object" &&
      typeof head.sides === "object" &&
      Array.isArray(head.fields);
    return isHead ? (head as PlanHead) : undefined;
  } catch {
    return undefined;
  }
}

function noPlan(file: string, why: string, cause?: unknown): SyncError {
  return new SyncError("USAGE", `"${file}" is no plan: ${why}.`, {
    hint: "Save one: `lockstep plan SYNC --out FILE`.",
    ...(cause === undefined ? {} : { cause }),
  });
}
