import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { isSyncError } from "../model/sync-error.ts";
import type { ConnectorKinds } from "./connector-kind.ts";
import { loadConfig } from "./load-config.ts";
import type { SyncConfig } from "./resolve-config.ts";

const KINDS: ConnectorKinds = {
  web: {
    settings: z.object({}),
    secrets: [],
    roles: ["source"],
    streamDefaults: () => ({
      Media: { parent: { stream: "Property", field: "ParentKey", parentField: "Key" } },
      Property: { media: { changedBy: "Moved", token: { use: "bearer", hosts: ["a.example"] } } },
    }),
  },
};

async function load(media: unknown): Promise<{ readonly sync: SyncConfig; readonly at: string }> {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-config-"));
  try {
    const streams = { Property: null, Member: null };
    const syncs = { copy: { replicate: "mls", media, streams } };
    const text = JSON.stringify({ systems: { mls: { connector: "web" } }, syncs });
    writeFileSync(join(directory, "lockstep.yaml"), text);
    const [sync] = (await loadConfig(directory, undefined, KINDS)).syncs;
    assert.ok(sync);
    return { sync, at: directory };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("the least that a sync with photos says, with every default", async () => {
  const { sync, at } = await load({ to: "./photos" });
  assert.deepEqual(sync.spec.media, {
    stream: "Property",
    relation: "Media",
    from: "expand",
    link: { field: "ParentKey", parentField: "Key" },
    changedBy: "Moved",
    countField: "PhotosCount",
    categories: ["Photo"],
    types: ["image/*"],
    maxBytes: 25_000_000,
    concurrency: 4,
    attempts: 4,
    retryWaitMaxMs: 60_000,
    urlMaxAgeMs: 1_800_000,
    to: { kind: "folder", path: join(at, "photos") },
  });
  assert.deepEqual(sync.media, {
    s3: {},
    budget: {},
    timeoutMs: 60_000,
    token: { use: "bearer", hosts: ["a.example"] },
  });
});

test("what is said wins over every default", async () => {
  const { sync } = await load({
    to: "s3://bucket/a/b/",
    stream: "Member",
    from: "stream",
    link: { field: "F", parentField: "P" },
    changedBy: "PhotoTime",
    maxSize: "1.5 GB",
    timeout: "2m",
    urlMaxAge: "10s",
    retry: { attempts: 2, maxWaitSeconds: 0.5 },
    sendToken: "never",
    budget: { perHour: 100 },
  });
  const { media } = sync.spec;
  assert.deepEqual(media?.to, { kind: "s3", bucket: "bucket", prefix: "a/b" });
  assert.equal(media?.maxBytes, 1_500_000_000);
  assert.equal(media?.urlMaxAgeMs, 10_000);
  assert.equal(media?.retryWaitMaxMs, 500);
  assert.deepEqual(media?.link, { field: "F", parentField: "P" });
  assert.equal(sync.media?.timeoutMs, 120_000);
  assert.equal(sync.media?.token.use, "never");
});

const MISTAKES: readonly (readonly [string, unknown, RegExp])[] = [
  ["no place", {}, /media\.to.*folder such as \.\/photos, or s3:\/\/BUCKET\/PREFIX/],
  ["a key that is none", { to: "x", tipes: [] }, /media\.tipes/],
  ["an unknown stream", { to: "x", stream: "Propety" }, /media\.stream is "Propety".*Property/],
  ["a wrong way", { to: "x", from: "feed" }, /media\.from.*expand, stream/],
  ["a size without unit", { to: "x", maxSize: "25" }, /media\.maxSize.*25MB/],
  ["a type that is none", { to: "x", types: ["jpeg"] }, /media\.types.*image\/\*/],
  ["an address of another kind", { to: "ftp://me:hunter2@host/x" }, /media\.to is no folder/],
  ["a bucket with a wrong name", { to: "s3://Me:hunter2@host/x" }, /media\.to is no folder/],
  [
    "s3 beside a folder",
    { to: "x", s3: { region: "a" } },
    /media\.s3 is set, but `to` is a folder/,
  ],
  ["one key", { to: "s3://bucket", s3: { accessKey: "env:A" } }, /s3\.secretKey is missing/],
  [
    "a key written out",
    { to: "s3://bucket", s3: { accessKey: "env:A", secretKey: "hunter2" } },
    /s3\.secretKey must be a reference to the secret/,
  ],
];

for (const [name, media, expected] of MISTAKES) {
  test(`a mistake is told with its path, and no secret is shown: ${name}`, async () => {
    await assert.rejects(load(media), (error) => {
      assert.ok(isSyncError(error), String(error));
      assert.equal(error.code, "CONFIG_INVALID");
      assert.match(error.message.replace(/\s+/g, " "), expected);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });
}
