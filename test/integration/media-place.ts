import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { Lockstep } from "../../src/engine/lockstep.ts";
import type { SyncRunRequest, SyncRunResult } from "../../src/engine/results.ts";
import type { FileLedger } from "../../src/model/media.ts";
import type { RecordKey } from "../../src/model/record.ts";
import {
  type SampleMls,
  type SampleMlsOptions,
  startSampleMls,
} from "../../src/testing/sample-mls/index.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";

/** A row of the home's list of held files. */
export interface Held {
  readonly parent: string;
  readonly media: string;
  readonly path: string;
  readonly size: number;
  readonly hash: string;
}

/** A folder with a sync that keeps photos, beside a sample MLS that serves them. */
export interface MediaPlace {
  readonly folder: string;
  readonly mls: SampleMls;
  readonly signal: AbortSignal;
  configure(
    media: Readonly<Record<string, unknown>>,
    sync?: Readonly<Record<string, unknown>>,
    root?: Readonly<Record<string, unknown>>,
  ): void;
  with<T>(act: (lockstep: Lockstep) => Promise<T>): Promise<T>;
  /** Copies records until the replica is up to date. */
  copy(): Promise<void>;
  media(request?: Partial<SyncRunRequest>): Promise<MediaRun>;
  held(): readonly Held[];
  /** Keys of the photos that the MLS shows. */
  shown(): readonly string[];
  /** Asserts that exactly the MLS's photos are held and stored, byte for byte. */
  prove(but?: readonly string[]): void;
  /** Names of all files in the folder for photos. */
  stored(): readonly string[];
}

export interface MediaRun {
  readonly result: SyncRunResult;
  readonly outcome: SyncRunResult["outcome"];
  readonly files: FileLedger;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly notes: readonly string[];
}

export async function createMediaPlace(
  t: TestContext,
  options: SampleMlsOptions = {},
  system: Readonly<Record<string, unknown>> = {},
): Promise<MediaPlace> {
  const mls = await startSampleMls({
    listings: 30,
    photosMax: 3,
    pageSize: 10,
    files: {},
    ...options,
  });
  const temporary = createTemporaryFolder();
  t.after(async () => {
    await mls.close();
    temporary.remove();
  });
  const folder = temporary.path;
  const { signal } = new AbortController();
  const photos = join(folder, "photos");
  const configure: MediaPlace["configure"] = (media, sync = {}, root = {}) => {
    writeFileSync(join(folder, "lockstep.yaml"), configText(mls, { media, sync, system, root }));
  };
  configure({});
  const withLockstep: MediaPlace["with"] = async (act) => {
    const env = { MLS_TOKEN: mls.token, S3_KEY: "S3RVER", S3_SECRET: "S3RVER" };
    const lockstep = await openLockstep({ directory: folder, env });
    try {
      return await act(lockstep);
    } finally {
      await lockstep.close();
    }
  };
  const held = (): readonly Held[] => {
    const database = new DatabaseSync(join(folder, "lockstep.db"), { readOnly: true });
    const sql = "SELECT parent, media, path, size, hash FROM _lockstep_files ORDER BY media";
    const rows = database.prepare(sql).all() as unknown as Held[];
    database.close();
    return rows;
  };
  const shown = (): readonly string[] => {
    const living = new Set([...mls.truth("Property")].map(({ key }) => String(key)));
    return [...mls.truth("Media")]
      .filter(({ fields }) => living.has(String(fields["ResourceRecordKeyNumeric"])))
      .map(({ key }) => String(key));
  };
  const stored = (): readonly string[] =>
    existsSync(photos)
      ? readdirSync(photos, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(photos.length + 1))
          .sort()
      : [];
  return {
    folder,
    mls,
    signal,
    configure,
    with: withLockstep,
    copy: async () => {
      const result = await withLockstep((each) => each.run("mls", { mode: "auto" }, { signal }));
      assert.equal(result.outcome, "done", JSON.stringify(result.runs));
    },
    media: async (request = {}) => {
      const result = await withLockstep((each) =>
        each.run("mls", { mode: "media", ...request }, { signal }),
      );
      const part = result.runs[0]?.streams[0];
      assert.ok(part?.files);
      const { files, error, notes } = part;
      return { result, outcome: result.outcome, files, error, notes };
    },
    held,
    shown,
    stored,
    prove: (but = []) => {
      const rows = held();
      const expected = shown().filter((key) => !but.includes(key));
      assert.deepEqual(rows.map(({ media }) => media).toSorted(), expected.toSorted());
      assert.deepEqual(rows.map(({ path }) => path).toSorted(), stored());
      for (const { media, path, size, hash } of rows) {
        const content = readFileSync(join(photos, path));
        assert.deepEqual(content, mls.picture(media), media);
        assert.equal(content.length, size);
        assert.equal(createHash("sha256").update(content).digest("hex"), hash);
      }
    },
  };
}

interface Configured {
  readonly media: Readonly<Record<string, unknown>>;
  readonly sync: Readonly<Record<string, unknown>>;
  readonly system: Readonly<Record<string, unknown>>;
  readonly root: Readonly<Record<string, unknown>>;
}

/** JSON is YAML too. */
function configText(mls: SampleMls, { media, sync, system, root }: Configured): string {
  return JSON.stringify({
    ...root,
    systems: {
      mls: {
        connector: "reso",
        profile: "wfrmls",
        url: mls.url,
        token: "env:MLS_TOKEN",
        budget: { perSecond: 10_000 },
        retry: { attempts: 2, maxWaitSeconds: 0.02 },
        ...system,
      },
    },
    syncs: {
      mls: {
        replicate: "mls",
        media: { to: "./photos", retry: { attempts: 2, maxWaitSeconds: 0.01 }, ...media },
        streams: { Property: null },
        ...sync,
      },
    },
  });
}

/** A listing with at least so many photos, and their keys. */
export function listingWith(
  mls: SampleMls,
  photos: number,
  but: readonly number[] = [],
): { readonly key: number; readonly record: RecordKey; readonly photos: readonly string[] } {
  for (const { key, fields } of mls.truth("Property")) {
    if (Number(fields["PhotosCount"]) < photos || but.includes(Number(key))) continue;
    const own = [...mls.truth("Media")].filter(
      (row) => row.fields["ResourceRecordKeyNumeric"] === key,
    );
    return {
      key: Number(key),
      record: String(key) as RecordKey,
      photos: own.map((row) => String(row.key)),
    };
  }
  throw new Error(`No listing has ${photos} photos.`);
}
