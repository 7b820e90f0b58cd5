import { describe } from "node:test";
import { changesBehaviours } from "./connector-kit/changes.ts";
import { deletionsBehaviours } from "./connector-kit/deletions.ts";
import { discoveryBehaviours } from "./connector-kit/discovery.ts";
import { keyListBehaviours } from "./connector-kit/key-lists.ts";
import { lifecycleBehaviours } from "./connector-kit/lifecycle.ts";
import { behaviours, type ConnectorKitOptions } from "./connector-kit/subject.ts";
import { walkBehaviours } from "./connector-kit/walks.ts";

/**
 * Registers, with `node:test`, every behaviour that a connector must have: what the docstring of
 * `Connector` says, and that each claimed trait works and each unclaimed one is refused. Each
 * behaviour gets a subject of its own from `create` and closes it. A behaviour is skipped, with
 * its reason, only where no stream claims the trait or the system lets nobody edit.
 */
export function connectorKit(name: string, options: ConnectorKitOptions): void {
  const behaviour = behaviours(options);
  describe(`connector kit: ${name}`, () => {
    discoveryBehaviours(behaviour);
    walkBehaviours(behaviour);
    changesBehaviours(behaviour);
    deletionsBehaviours(behaviour);
    keyListBehaviours(behaviour);
    lifecycleBehaviours(behaviour);
  });
}
