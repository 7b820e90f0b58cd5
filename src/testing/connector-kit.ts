import { describe } from "node:test";
import { certificateBehaviours } from "./connector-kit/certificates.ts";
import { changesBehaviours } from "./connector-kit/changes.ts";
import { childrenBehaviours } from "./connector-kit/children.ts";
import { deletionsBehaviours } from "./connector-kit/deletions.ts";
import { digestBehaviours } from "./connector-kit/digests.ts";
import { discoveryBehaviours } from "./connector-kit/discovery.ts";
import { eventsBehaviours } from "./connector-kit/events.ts";
import { keyListBehaviours } from "./connector-kit/key-lists.ts";
import { lifecycleBehaviours } from "./connector-kit/lifecycle.ts";
import { partitionBehaviours } from "./connector-kit/partitions.ts";
import { behaviours, type ConnectorKitOptions } from "./connector-kit/subject.ts";
import { walkBehaviours } from "./connector-kit/walks.ts";
import { writeOutcomeBehaviours } from "./connector-kit/write-outcomes.ts";
import { writeValueBehaviours } from "./connector-kit/write-values.ts";

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
    partitionBehaviours(behaviour);
    changesBehaviours(behaviour);
    eventsBehaviours(behaviour);
    deletionsBehaviours(behaviour);
    keyListBehaviours(behaviour);
    digestBehaviours(behaviour);
    childrenBehaviours(behaviour);
    writeValueBehaviours(behaviour);
    writeOutcomeBehaviours(behaviour);
    certificateBehaviours(behaviour);
    lifecycleBehaviours(behaviour);
  });
}
