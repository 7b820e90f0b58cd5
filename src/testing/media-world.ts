import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createMemoryConnector } from "../connectors/memory/connector.ts";
import {
  createMemorySystem,
  type MemoryRow,
  type MemorySystem,
} from "../connectors/memory/system.ts";
import {
  createMemoryFiles,
  createMemoryStore,
  type MemoryFiles,
} from "../drivers/files/memory-store.ts";
import type { ReplicateContext } from "../engine/context.ts";
import { type MediaRequest, runMedia } from "../engine/media/run-media.ts";
import { rememberSchemas } from "../engine/schema-memory.ts";
import { createMemoryHome } from "../homes/memory/home.ts";
import { createMemoryHomeState, type MemoryHomeState } from "../homes/memory/state.ts";
import type { HeldFile, MediaSpec } from "../model/media.ts";
import type { RecordKey } from "../model/record.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { RunReport } from "../model/run.ts";
import type { Field, StreamSchema } from "../model/schema.ts";
import type { Destination } from "../ports/destination.ts";
import type { FileSource, FileStore } from "../ports/files.ts";
import type { Home } from "../ports/home.ts";
import type { Clock } from "../ports/runtime.ts";

const TRAITS = { changes: true, deletions: true, sweep: true, count: true };
const text = { kind: "text" } as const;
const timestamp = { kind: "timestamp" } as const;
const integer = { kind: "integer", bits: 32 } as const;
const of = (name: string, type: Field["type"], nullable = true): Field => ({
  name,
  type,
  nullable,
});

const STREAMS: readonly StreamSchema[] = [
  {
    name: "Property",
    key: ["ListingKey"],
    modifiedAt: "ModificationTimestamp",
    traits: TRAITS,
    fields: [
      of("ListingKey", text, false),
      of("PhotosCount", integer),
      of("PhotosChangeTimestamp", timestamp),
      of("ModificationTimestamp", timestamp),
    ],
  },
  {
    name: "Media",
    key: ["MediaKey"],
    modifiedAt: "ModificationTimestamp",
    traits: TRAITS,
    fields: [
      of("MediaKey", text, false),
      of("ResourceRecordKey", text),
      of("MediaURL", text),
      of("Order", integer),
      of("ModificationTimestamp", timestamp),
    ],
  },
];

const MEDIA: MediaSpec = {
  stream: "Property",
  relation: "Media",
  from: "expand",
  link: { field: "ResourceRecordKey", parentField: "ListingKey" },
  countField: "PhotosCount",
  categories: ["Photo"],
  types: ["image/*"],
  maxBytes: 1_000_000,
  concurrency: 1,
  attempts: 2,
  retryWaitMaxMs: 1000,
  urlMaxAgeMs: 3_600_000,
  to: { kind: "folder", path: "/photos" },
};

const SPEC: ReplicateSpec = {
  name: "mls",
  streams: ["Property", "Media"].map((stream) => ({
    stream,
    table: stream,
    naming: "source",
    deletes: "remove",
    drift: "evolve",
    overlapMs: 60_000,
    overlapMaxMs: 60_000,
    refreshMs: 60_000,
    history: "full",
    monitor: { status: [], price: [], transitions: [] },
    rules: [],
  })),
  guard: {
    deleteShare: 1,
    deleteCount: 1000,
    deleteFloor: 100,
    countTolerance: 0,
    parkedCount: 1000,
  },
  concurrency: 1,
  leaseMs: 60_000,
  media: MEDIA,
};

const never = new AbortController().signal;

/** Time passes by waiting only; a lease is never renewed, since nothing takes so long. */
function createTestClock(): Clock {
  let now = Date.UTC(2026, 0, 5);
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) => {
      if (ms < 10_000) {
        now += ms;
        return Promise.resolve();
      }
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  };
}

/** What outlives a process. */
export interface Durable {
  readonly home: MemoryHomeState;
  readonly files: MemoryFiles;
}

export const copied = ({ home, files }: Durable): Durable => ({
  home: structuredClone(home),
  files: structuredClone(files),
});

export interface World {
  readonly system: MemorySystem;
  readonly clock: Clock;
  readonly durable: Durable;
  /** Addresses that the file server answers with an error. */
  readonly broken: Set<string>;
  second: number;
}

export function createWorld(): World {
  const clock = createTestClock();
  const world: World = {
    system: createMemorySystem({ streams: STREAMS, now: () => world.second * 1000 }),
    clock,
    durable: { home: createMemoryHomeState(), files: createMemoryFiles() },
    broken: new Set(),
    second: Date.UTC(2026, 0, 1) / 1000,
  };
  for (let listing = 1; listing <= 5; listing += 1) {
    world.second += (listing % 2) * 200;
    const key = String(listing);
    for (let photo = 0; photo < listing % 4; photo += 1) addPhoto(world, key, `${key}-${photo}`);
    list(world, key);
  }
  return world;
}

export const stampOf = ({ second }: World): string =>
  `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;

export function addPhoto({ system }: World, listing: string, photo: string): void {
  const order = photosOf(system, listing).length;
  const url = `https://files.example/${photo}?signature=s3cret`;
  system.put("Media", { MediaKey: photo, ResourceRecordKey: listing, MediaURL: url, Order: order });
}

export const photosOf = (system: MemorySystem, listing: string): readonly MemoryRow[] =>
  system.rows("Media").filter(({ values }) => values["ResourceRecordKey"] === listing);

/** Says of a listing how many photos it has, and that they changed now. */
export function list(world: World, key: string): void {
  world.system.put("Property", {
    ListingKey: key,
    PhotosCount: photosOf(world.system, key).length,
    PhotosChangeTimestamp: stampOf(world),
  });
}

export const key = (name: string): RecordKey => name as RecordKey;

/** The picture of a media row as it stands. */
function picture({ system }: World, photo: string): Buffer | undefined {
  const row = system.row("Media", key(photo));
  if (row === undefined) return undefined;
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
  return Buffer.concat([head, Buffer.from(`${photo} ${row.time}`.repeat(40))]);
}

function sourceOf(world: World, step: () => void): FileSource {
  return {
    async open(url) {
      step();
      const photo = url.replace(/.*\/|\?.*/g, "");
      const content = picture(world, photo);
      const isBroken = world.broken.has(photo) || content === undefined;
      return {
        status: isBroken ? 500 : 200,
        headers: { "content-type": "image/jpeg" },
        body: bodyOf(content ?? Buffer.alloc(0)),
        discard: () => undefined,
      };
    },
    close: async () => undefined,
  };
}

async function* bodyOf(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 600) yield content.subarray(at, at + 600);
}

/** Every effect of a process passes here; after its death it has none any more. */
export interface Fate {
  readonly step: () => void;
  readonly steps: () => number;
}

export function createFate(diesAt: number): Fate {
  let steps = 0;
  return {
    step: () => {
      steps += 1;
      if (steps >= diesAt) throw new Error("The process was killed.");
    },
    steps: () => steps,
  };
}

/** Before and after each effect the process may die. */
function mortal<T extends object>(inner: T, names: readonly (keyof T)[], { step }: Fate): T {
  const wrapped = { ...inner };
  for (const name of names) {
    const act = inner[name] as (...given: unknown[]) => Promise<unknown>;
    Object.assign(wrapped, {
      [name]: async (...given: unknown[]) => {
        step();
        const result = await act(...given);
        step();
        return result;
      },
    });
  }
  return wrapped;
}

function contextOf(world: World, durable: Durable, fate: Fate): ReplicateContext {
  const { system, clock } = world;
  const home: Home = mortal(
    createMemoryHome({ clock, state: durable.home }),
    ["commit", "startRun", "finishRun", "heldFiles", "acquireLease", "checkpoint"],
    fate,
  );
  const memory = createMemoryStore(durable.files);
  const store: FileStore = mortal(
    {
      ...memory,
      put: (path, content, about, signal) =>
        memory.put(path, passing(content, fate.step), about, signal),
    },
    ["put", "remove", "clear", "size"],
    fate,
  );
  const relations = {
    Property: { Media: { stream: "Media", field: "ResourceRecordKey", parentField: "ListingKey" } },
  };
  return {
    spec: SPEC,
    source: createMemoryConnector(system, { pageSize: () => 2, relations }),
    destination: {
      count: async () => system.rows("Property").length,
      marks: async (_table: unknown, keys: readonly RecordKey[]) =>
        new Map(
          keys
            .filter((each) => system.row("Property", each) !== undefined)
            .map((each) => [each, { hash: "", deleted: false }]),
        ),
    } as unknown as Destination,
    home,
    clock,
    random: {
      next: () => 0.5,
      id: () => {
        ids += 1;
        return createHash("sha256").update(String(ids)).digest("hex");
      },
    },
    emit: () => undefined,
    traffic: () => ({ requests: 0, bytes: 0, retries: 0, waitedMs: 0 }),
    owner: { name: "test", isGone: () => true },
    memoryBytes: () => 0,
    openMedia: async () => ({ source: sourceOf(world, fate.step), store }),
  };
}

async function* passing(
  content: AsyncIterable<Uint8Array>,
  step: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    step();
    yield chunk;
  }
}

/** Ids of all processes together. */
let ids = 0;

export const AT_ONCE: MediaRequest = { again: false };

export async function run(
  world: World,
  durable: Durable = world.durable,
  request: MediaRequest = AT_ONCE,
  fate: Fate = createFate(Number.POSITIVE_INFINITY),
): Promise<RunReport> {
  const context = contextOf(world, durable, fate);
  await rememberSchemas(context, STREAMS);
  return runMedia(context, request, never);
}

export async function heldIn(world: World, { home: state }: Durable): Promise<readonly HeldFile[]> {
  const home = createMemoryHome({ clock: world.clock, state });
  const parents = await home.fileParents("mls", "Property/Media", null, 1000);
  return home.heldFiles("mls", "Property/Media", parents);
}

/** What is recorded is stored, as it was recorded: at any moment, whatever died when. */
export async function checkRecorded(world: World, durable: Durable): Promise<void> {
  for (const { path, size, hash } of await heldIn(world, durable)) {
    const content = durable.files.files.get(path);
    assert.ok(content, `${path} is recorded, but not stored`);
    assert.equal(content.length, size);
    assert.equal(createHash("sha256").update(content).digest("hex"), hash);
  }
}

/** Exactly the photos that the system shows are held and stored, and nothing else is left. */
export async function checkWhole(
  world: World,
  durable: Durable,
  but: readonly string[] = [],
): Promise<void> {
  await checkRecorded(world, durable);
  const held = await heldIn(world, durable);
  const shown = world.system
    .rows("Media")
    .filter(({ values }) => world.system.row("Property", key(String(values["ResourceRecordKey"]))))
    .map(({ id }) => String(id))
    .filter((photo) => !but.includes(photo));
  assert.deepEqual(held.map(({ media }) => String(media)).sort(), shown.sort());
  for (const { media, path } of held) {
    const content = Buffer.from(durable.files.files.get(path) ?? []);
    assert.deepEqual(content, picture(world, media), media);
  }
  assert.deepEqual([...durable.files.files.keys()].sort(), held.map(({ path }) => path).sort());
  assert.equal(durable.files.parts.size, 0);
}
