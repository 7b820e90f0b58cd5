import { suite } from "node:test";
import { lookupBehaviours } from "./destination-kit/lookups.ts";
import { rowBehaviours } from "./destination-kit/rows.ts";
import { behaviours, type DestinationKitOptions } from "./destination-kit/subject.ts";
import { tableBehaviours } from "./destination-kit/tables.ts";
import { valueBehaviours } from "./destination-kit/values.ts";
import { withinBehaviours } from "./destination-kit/within.ts";
import { createKitClock } from "./kit-clock.ts";

/**
 * Registers, with node:test, what must hold of every destination. `create` gives one on an empty
 * database for each behaviour. What it skips is printed with the reason, which lies only in the
 * destination's nature; what it refuses to hold is printed too.
 */
export function destinationKit(name: string, { create }: DestinationKitOptions): void {
  suite(`destination: ${name}`, () => {
    const behaviour = behaviours(() => create(createKitClock()));
    tableBehaviours(behaviour);
    valueBehaviours(behaviour);
    rowBehaviours(behaviour);
    lookupBehaviours(behaviour);
    withinBehaviours(behaviour);
  });
}
