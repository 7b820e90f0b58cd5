import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { RequestedMode, SyncRunResult } from "../../src/engine/results.ts";
import { type ProvenStream, proveReplica } from "../../src/testing/prove-replica.ts";
import type { SampleMls, SampleMlsOptions } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

const { signal } = new AbortController();

/** A sample MLS with a sync of some of its streams. */
export interface Scene {
  readonly mls: SampleMls;
  readonly place: Place;
  /** Runs, and asserts that it ends well. */
  run(mode: RequestedMode): Promise<SyncRunResult>;
  /** Runs, whatever comes of it. */
  attempt(mode: RequestedMode): Promise<SyncRunResult>;
  /** Writes another configuration of the system. */
  configure(system: Readonly<Record<string, unknown>>): void;
}

/** `config` is laid over the least that a system and a sync need. */
export async function createScene(
  t: TestContext,
  options: SampleMlsOptions,
  config: {
    readonly system?: Readonly<Record<string, unknown>>;
    readonly streams: Readonly<Record<string, unknown>>;
    readonly guard?: Readonly<Record<string, unknown>>;
  },
): Promise<Scene> {
  const mls = await startSmallMls(options);
  t.after(() => mls.close());
  const place = createPlace(mls);
  t.after(() => place.remove());
  const configure: Scene["configure"] = (system) =>
    place.configure(
      JSON.stringify({
        systems: {
          mls: {
            connector: "reso",
            profile: "wfrmls",
            url: mls.url,
            token: "env:MLS_TOKEN",
            ...system,
          },
        },
        syncs: {
          listings: {
            replicate: "mls",
            streams: config.streams,
            ...(config.guard === undefined ? {} : { guard: config.guard }),
          },
        },
      }),
    );
  configure(config.system ?? {});
  const attempt: Scene["attempt"] = async (mode) => {
    const env = { MLS_TOKEN: mls.token };
    const lockstep = await openLockstep({ directory: place.folder, env });
    try {
      return await lockstep.run("listings", { mode }, { signal });
    } finally {
      await lockstep.close();
    }
  };
  return {
    mls,
    place,
    configure,
    attempt,
    async run(mode) {
      const result = await attempt(mode);
      assert.equal(result.outcome, "done", JSON.stringify(result.runs, null, 1));
      return result;
    },
  };
}

/** Asserts that a stream of the replica is the server's truth; gives how many records it has. */
export function prove({ mls, place }: Scene, stream: Omit<ProvenStream, "truth">): number {
  const [proof] = proveReplica(place.home, [{ ...stream, truth: mls.truth(stream.stream) }]);
  assert.deepEqual(proof?.differences, []);
  assert.equal(proof?.records, mls.count(stream.stream));
  return proof?.records ?? 0;
}
