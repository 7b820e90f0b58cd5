import { resolve } from "node:path";
import type { FilesPlan } from "../../engine/files-results.ts";
import { chosenSyncs, usage } from "../arguments.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { FilesPlanJson } from "../json.ts";
import { writePlan } from "../plan-file.ts";
import type { Session } from "../session.ts";
import { syncsWithFiles } from "./run.ts";

interface MediaPlanOptions extends Readonly<Record<string, unknown>> {
  readonly full?: boolean;
  readonly out?: string;
}

/** `plan --media`: what a run of files would do and cost. */
export async function planMedia(
  session: Session,
  sync: string | undefined,
  options: object,
): Promise<ExitCode> {
  const { full, out, media: _media, ...others }: MediaPlanOptions = { ...options };
  const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined) throw usage(`--media and --${other} do not go together.`);
  return session.withLockstep(async (lockstep) => {
    const syncs = syncsWithFiles(lockstep, chosenSyncs(lockstep, sync));
    const plans = await session.withWatch(async (watch) => {
      const made: FilesPlan[] = [];
      for (const name of syncs) {
        made.push(await lockstep.planFiles(name, { again: full === true }, watch));
      }
      return made;
    });
    const json: FilesPlanJson = { due: plans.some(({ due }) => due), plans };
    if (out !== undefined) writePlan(resolve(session.io.directory, out), json);
    if (!session.globals.quiet || session.globals.json) {
      const { filesPlanLines } = await import("../render/files-plan.ts");
      await session.print(json, (look) =>
        plans.flatMap((each, index) => [
          ...(index === 0 ? [] : [""]),
          ...filesPlanLines(each, look),
        ]),
      );
    }
    return json.due ? EXIT.planned : EXIT.done;
  });
}
