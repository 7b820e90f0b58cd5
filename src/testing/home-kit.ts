import { suite } from "node:test";
import { agreementBehaviours } from "./home-kit/agreements.ts";
import { commitBehaviours } from "./home-kit/commits.ts";
import { digestBehaviours } from "./home-kit/digests.ts";
import { fileBehaviours } from "./home-kit/files.ts";
import { leftOutBehaviours } from "./home-kit/left-out.ts";
import { logBehaviours } from "./home-kit/log.ts";
import { planBehaviours } from "./home-kit/plans.ts";
import { recordBehaviours } from "./home-kit/records.ts";
import { standingBehaviours } from "./home-kit/standing.ts";
import { behaviours, type HomeKitOptions } from "./home-kit/subject.ts";

/**
 * Registers, with node:test, what must hold of every home. `create` gives one on an empty
 * database for each behaviour. What it skips is printed with the reason, which lies only in the
 * home's nature.
 */
export function homeKit(name: string, options: HomeKitOptions): void {
  suite(`home: ${name}`, () => {
    const behaviour = behaviours(options);
    commitBehaviours(behaviour);
    logBehaviours(behaviour);
    recordBehaviours(behaviour);
    fileBehaviours(behaviour);
    agreementBehaviours(behaviour);
    digestBehaviours(behaviour);
    leftOutBehaviours(behaviour);
    planBehaviours(behaviour);
    standingBehaviours(behaviour);
  });
}
