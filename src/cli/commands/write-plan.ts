import { writeFileSync } from "node:fs";
import { SyncError } from "../../model/sync-error.ts";
import type { FilesPlanJson, PlanJson } from "../json.ts";

/** Writes a plan for `--out`. */
export function writePlan(file: string, json: PlanJson | FilesPlanJson): void {
  try {
    writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
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
