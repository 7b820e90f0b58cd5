import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { createResoClient, type ResoClient } from "../../src/client/client.ts";
import { ResoError, type ResoErrorKind } from "../../src/client/errors.ts";
import type { ResoClientOptions } from "../../src/client/options.ts";
import type { AnyStreams } from "../../src/client/shapes.ts";
import { testClock } from "../../src/testing/connector-ports.ts";
import {
  type SampleMls,
  type SampleMlsOptions,
  startSampleMls,
} from "../../src/testing/sample-mls/index.ts";

export type Client = ResoClient<AnyStreams>;

/** A sample MLS and a client of it, which does not try again unless told. */
export async function resoScene(
  t: TestContext,
  options: SampleMlsOptions = {},
  own: Partial<ResoClientOptions> = {},
): Promise<{ readonly mls: SampleMls; readonly client: Client }> {
  const mls = await startSampleMls({ listings: 120, photosMax: 2, pageSize: 25, ...options });
  const client = createResoClient({
    profile: "wfrmls",
    url: mls.url,
    token: mls.token,
    clock: testClock,
    retry: { attempts: 1 },
    ...own,
  });
  t.after(async () => {
    await client.close();
    await mls.close();
  });
  return { mls, client };
}

/** Asserts the kind of an error and that its message says so. */
export const fails =
  (kind: ResoErrorKind, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ResoError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  };
