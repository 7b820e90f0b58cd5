import { existsSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { readConfigFile } from "../../config/config-file.ts";
import { NAME_EXPECTED, NAME_PATTERN } from "../../config/expectations.ts";
import { type ReadSample, sampleSide } from "../../engine/reconcile/sample-side.ts";
import type { Connector } from "../../ports/connector.ts";
import { usage } from "../arguments.ts";
import type { GivenSystem } from "../cli.ts";
import type { Session } from "../session.ts";
import {
  proposeReconcile,
  type ReconcileProposal,
  type SampledSide,
} from "./reconcile-proposal.ts";
import { reconcileYaml } from "./reconcile-yaml.ts";

/** What a person gives `lockstep init reconcile`. */
export interface InitReconcileOptions {
  /** Each `NAME=SYSTEM.STREAM`. */
  readonly side?: readonly string[];
  readonly sqlite?: readonly string[];
  readonly csv?: readonly string[];
  readonly postgres?: readonly string[];
  readonly mysql?: readonly string[];
  readonly name?: string;
  readonly out?: string;
}

export interface ProposedFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  readonly sync: string;
  readonly proposal: ReconcileProposal;
}

/** How a system is opened; `key` is for files, whose key is yet to be found. */
type OpenSystem = (name: string, given: GivenSystem) => Promise<Connector>;

/**
 * Looks into two or more streams and proposes how to keep them in step. Only reads, and writes
 * nothing. Throws USAGE, and what the systems throw.
 */
export async function proposeFile(
  session: Session,
  options: InitReconcileOptions,
  signal: AbortSignal,
): Promise<ProposedFile> {
  const { directory, env } = session.io;
  const known = await knownSystems(session);
  const sync = options.name ?? "inventory";
  if (!NAME_PATTERN.test(sync)) throw usage(`--name is "${sync}"; expected ${NAME_EXPECTED}.`);
  const systems = new Map<string, GivenSystem>([...known, ...givenSystems(options)]);
  const path = resolve(
    directory,
    options.out ?? (known.size === 0 ? "lockstep.yaml" : "lockstep.reconcile.yaml"),
  );
  if (existsSync(path)) {
    throw usage(`"${path}" exists already; nothing was written.`, "Name another file: --out FILE.");
  }
  const { openSystem } = await import("../../app.ts");
  const open: OpenSystem = (name, given) => openSystem(name, given, { directory, env });
  const named = (options.side ?? []).map(parseSide);
  const places =
    named.length > 0 ? named : await onlyStreams(givenSystems(options), systems, open, signal);
  if (places.length < 2) {
    throw usage(
      "Name two sides or more, each as --side NAME=SYSTEM.STREAM.",
      "Systems are those of lockstep.yaml, or given by --sqlite PATH, --csv PATH, --postgres env:NAME, --mysql env:NAME.",
    );
  }
  const sides: SampledSide[] = [];
  for (const place of places) {
    const given = systems.get(place.system);
    if (given === undefined) {
      const list = [...systems.keys()].join(", ") || "none";
      throw usage(`There is no system "${place.system}"; systems: ${list}.`);
    }
    sides.push({
      ...place,
      sample: await sampled(place.system, given, place.stream, open, signal),
    });
  }
  const proposal = proposeReconcile(sides);
  return {
    path,
    text: reconcileYaml(sync, usedSystems(systems, proposal), proposal),
    sync,
    proposal,
  };
}

/** The systems of the sides, a file with the key that its records are matched by. */
function usedSystems(
  systems: ReadonlyMap<string, GivenSystem>,
  { first, match, others }: ReconcileProposal,
): Readonly<Record<string, GivenSystem>> {
  const keys = [
    { side: first, key: match },
    ...others.map(({ side, key }) => ({ side, key: key.pairs.map(({ right }) => right) })),
  ];
  return Object.fromEntries(
    [...systems].flatMap(([name, system]) => {
      const key = keys.find(({ side }) => side.system === name)?.key;
      if (key === undefined) return [];
      const isKeyless = system.connector === "file" && system["key"] === undefined;
      return [[name, isKeyless ? { ...system, key: key.length === 1 ? key[0] : key } : system]];
    }),
  );
}

/** The systems of a configuration that stands here, as it is written. */
async function knownSystems({ io, globals }: Session): Promise<ReadonlyMap<string, GivenSystem>> {
  const named = globals.config;
  if (named === undefined && !existsSync(resolve(io.directory, "lockstep.yaml"))) return new Map();
  const { data } = await readConfigFile(io.directory, named);
  const { systems = {} } = (data ?? {}) as { readonly systems?: Record<string, GivenSystem> };
  return new Map(Object.entries(systems));
}

function givenSystems(options: InitReconcileOptions): ReadonlyMap<string, GivenSystem> {
  const local = (path: string): string => (/^[./~]/.test(path) ? path : `./${path}`);
  const systems = new Map<string, GivenSystem>();
  const add = (name: string, system: GivenSystem): void => {
    let free = name;
    for (let count = 2; systems.has(free); count += 1) free = `${name}${count}`;
    systems.set(free, system);
  };
  for (const path of options.sqlite ?? []) {
    add(nameOf(path), { connector: "sqlite", path: local(path) });
  }
  for (const path of options.csv ?? []) add(nameOf(path), { connector: "file", path: local(path) });
  for (const connector of ["postgres", "mysql"] as const) {
    for (const reference of options[connector] ?? []) {
      const name = nameOf(reference.replace(/^(?:env|file):/, "").toLowerCase());
      add(name.replace(/_?(?:database)?_?url$/, "") || "database", { connector, url: reference });
    }
  }
  return systems;
}

/** A name that the configuration takes, of a path. */
function nameOf(path: string): string {
  const name = basename(path, extname(path)).replace(/[^A-Za-z0-9_-]+/g, "-");
  return NAME_PATTERN.test(name) ? name : `s-${name}`;
}

interface SidePlace {
  readonly name: string;
  readonly system: string;
  readonly stream: string;
}

function parseSide(text: string): SidePlace {
  const [, name, system, stream] = /^([^=]+)=([^.]+)\.(.+)$/.exec(text) ?? [];
  if (name === undefined || system === undefined || stream === undefined) {
    throw usage(`--side is "${text}"; expected NAME=SYSTEM.STREAM, such as shop=shopdb.product.`);
  }
  if (!NAME_PATTERN.test(name)) {
    throw usage(`--side is "${text}", which names a side "${name}"; expected ${NAME_EXPECTED}.`);
  }
  return { name, system, stream };
}

/** Without --side: each given system is one, if it has one stream. */
async function onlyStreams(
  given: ReadonlyMap<string, GivenSystem>,
  all: ReadonlyMap<string, GivenSystem>,
  open: OpenSystem,
  signal: AbortSignal,
): Promise<readonly SidePlace[]> {
  const places: SidePlace[] = [];
  const many: string[] = [];
  for (const [name, system] of given.size > 0 ? given : all) {
    const connector = await open(name, system);
    try {
      const streams = (await connector.discover(signal)).map((schema) => schema.name);
      const [only, another] = streams;
      if (only !== undefined && another === undefined) {
        places.push({ name, system: name, stream: only });
      } else many.push(`"${name}" has ${streams.join(", ") || "none"}`);
    } finally {
      await connector.close();
    }
  }
  if (many.length === 0) return places;
  throw usage(
    `It must be said which streams are meant: ${many.join("; ")}.`,
    "Name each side: --side NAME=SYSTEM.STREAM.",
  );
}

/**
 * A file's records are told apart by its key, so each of its columns is tried as one, and then some
 * of them together.
 */
async function sampled(
  name: string,
  given: GivenSystem,
  stream: string,
  open: OpenSystem,
  signal: AbortSignal,
): Promise<ReadSample> {
  const read = async (system: GivenSystem): Promise<ReadSample> => {
    const connector = await open(name, system);
    try {
      return await sampleSide(connector, stream, signal);
    } finally {
      await connector.close();
    }
  };
  if (given.connector !== "file" || given["key"] !== undefined) return read(given);
  const connector = await open(name, given);
  let columns: readonly string[];
  try {
    const schema = (await connector.discover(signal)).find((one) => one.name === stream);
    if (schema === undefined) return await sampleSide(connector, stream, signal);
    columns = schema.fields.map((field) => field.name);
  } finally {
    await connector.close();
  }
  let best: ReadSample | undefined;
  for (const key of possibleKeys(columns)) {
    const sample = await read({ ...given, key });
    if (best === undefined || sample.rows.length > best.rows.length) best = sample;
    if (best.bad === 0 && best.rows.length > 0) break;
  }
  if (best === undefined) throw usage(`The file of "${name}" has no column.`);
  // A key that was only tried is no key that somebody chose.
  return { ...best, key: [] };
}

const COLUMNS_MAX = 30;
const TOGETHER_MAX = 8;

/** Each column, any two of the first ones, and any three. */
function possibleKeys(columns: readonly string[]): readonly (string | readonly string[])[] {
  const some = columns.slice(0, TOGETHER_MAX);
  const longer = (keys: readonly (readonly string[])[]): readonly (readonly string[])[] =>
    keys.flatMap((key) =>
      some.slice(some.indexOf(key.at(-1) ?? "") + 1).map((name) => [...key, name]),
    );
  const two = longer(some.map((name) => [name]));
  return [...columns.slice(0, COLUMNS_MAX), ...two, ...longer(two)];
}
