import { resolve } from "node:path";
import type { ReconcileSpec } from "../core/mapping/reconcile-spec.ts";
import { nearMatches } from "../model/near-match.ts";
import type { GuardSpec, ReplicateSpec } from "../model/replicate.ts";
import type { ConfigFile } from "./config-file.ts";
import type { ConfigInput, GuardInput, SyncInput, SystemInput } from "./config-input.ts";
import { type ConfigPath, type ConfigProblem, configError, showValue } from "./config-problem.ts";
import { CONFIG_SCHEMA } from "./config-schema.ts";
import type { ConnectorKind, ConnectorKinds } from "./connector-kind.ts";
import { didYouMean } from "./did-you-mean.ts";
import { explainIssues } from "./explain-issues.ts";
import { parseShare } from "./quantities.ts";
import { RECONCILE_SCHEMA } from "./reconcile-schema.ts";
import { type MediaAccess, resolveMedia } from "./resolve-media.ts";
import { resolveReconcile } from "./resolve-reconcile.ts";
import { resolveStream } from "./resolve-stream.ts";
import { isSecretReference } from "./secrets.ts";

/** A configuration that was checked, every default filled in. Secrets are still references. */
export interface Config {
  /** As a person would name it. */
  readonly file: string;
  /** Absolute; relative paths of the configuration are meant from here. */
  readonly directory: string;
  readonly home: HomeConfig;
  readonly systems: ReadonlyMap<string, SystemConfig>;
  readonly syncs: readonly SyncConfig[];
  /** Syncs of two or more sides. */
  readonly reconciles: readonly ReconcileSpec[];
}

/** `path` is absolute; `url` is a reference to a secret, since it may hold a password. */
export type HomeConfig =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

export interface SystemConfig {
  readonly name: string;
  readonly connector: string;
  /** As the connector's own schema gave them. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface SyncConfig {
  readonly name: string;
  /** Name of a system. */
  readonly source: string;
  /** `home`, or the name of a system. */
  readonly into: string;
  readonly spec: ReplicateSpec;
  /** How its files are reached, where it keeps any. */
  readonly media?: MediaAccess;
}

const DEFAULT_HOME = "sqlite:./lockstep.db";
const DEFAULT_CONCURRENCY = 3;
const LEASE_MS = 60_000;
const DEFAULT_GUARD: GuardSpec = {
  deleteShare: 0.1,
  deleteCount: 5_000,
  deleteFloor: 20,
  countTolerance: 0.001,
  parkedCount: 1_000,
};

/** Judges a file's data. Throws CONFIG_INVALID with every mistake, its line and what is allowed. */
export function resolveConfig(file: ConfigFile, kinds: ConnectorKinds): Config {
  const problems: ConfigProblem[] = [];
  const { data, sided } = withoutSided(file.data ?? {});
  const parsed = CONFIG_SCHEMA.safeParse(data);
  if (!parsed.success) problems.push(...explainIssues(CONFIG_SCHEMA, data, parsed.error.issues));
  const input = parsed.success ? parsed.data : readable(file.data);
  const systems = new Map<string, SystemConfig>();
  for (const [name, system] of Object.entries(input.systems)) {
    const resolved = resolveSystem(name, system, kinds, problems);
    if (resolved !== undefined) systems.set(name, resolved);
  }
  const syncs = parsed.success
    ? Object.entries(input.syncs).map(([name, sync]) =>
        resolveSync(name, sync as SyncInput, {
          input,
          systems,
          kinds,
          problems,
          directory: file.directory,
        }),
      )
    : [];
  const reconciles = sided.flatMap(([name, given]) => {
    const path: ConfigPath = ["syncs", name];
    const judged = RECONCILE_SCHEMA.safeParse(given);
    if (!judged.success) {
      problems.push(...explainIssues(RECONCILE_SCHEMA, given, judged.error.issues, path));
      return [];
    }
    const known = Object.keys(input.systems);
    return [resolveReconcile(name, judged.data, { path, systems: known, problems })];
  });
  if (problems.length > 0) throw configError(file.label, problems, file.locate);
  return {
    file: file.label,
    directory: file.directory,
    home: resolveHome(input.home ?? DEFAULT_HOME, file.directory),
    systems,
    syncs,
    reconciles,
  };
}

/** The configuration without its syncs of sides, and those; each kind has a schema of its own. */
function withoutSided(data: unknown): {
  readonly data: unknown;
  readonly sided: readonly (readonly [string, unknown])[];
} {
  const syncs = isMapping(data) ? data["syncs"] : undefined;
  if (!isMapping(data) || !isMapping(syncs)) return { data, sided: [] };
  const all = Object.entries(syncs);
  const sided = all.filter(([, sync]) => isMeantOfSides(sync));
  const others = all.filter(([, sync]) => !isMeantOfSides(sync));
  return { data: { ...data, syncs: Object.fromEntries(others) }, sided };
}

/** It has sides or, misspelt, what only a sync of sides has and no copy. */
function isMeantOfSides(sync: unknown): boolean {
  if (!isMapping(sync) || "sides" in sync) return isMapping(sync);
  if ("replicate" in sync || "streams" in sync) return false;
  return Object.keys(sync).some((key) => ONLY_OF_SIDES.some((word) => isNear(key, word)));
}

const ONLY_OF_SIDES: readonly string[] = ["sides", "match", "policy", "fields"];
const isNear = (key: string, word: string): boolean =>
  key === word || nearMatches(key, [word]).length > 0;

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolveHome(home: string, directory: string): HomeConfig {
  if (!home.startsWith("sqlite:")) return { kind: "postgres", url: home };
  const path = home.slice("sqlite:".length);
  return { kind: "sqlite", path: path === ":memory:" ? path : resolve(directory, path) };
}

/** The systems of a configuration that is wrong elsewhere, so that all mistakes are told at once. */
function readable(data: unknown): ConfigInput {
  const systems: Record<string, SystemInput> = {};
  const given = (data as { readonly systems?: unknown } | null | undefined)?.systems;
  if (typeof given === "object" && given !== null) {
    for (const [name, system] of Object.entries(given)) {
      const connector = (system as { readonly connector?: unknown } | null)?.connector;
      if (typeof connector === "string") systems[name] = system as SystemInput;
    }
  }
  return { systems, syncs: {} };
}

function resolveSystem(
  name: string,
  input: SystemInput,
  kinds: ConnectorKinds,
  problems: ConfigProblem[],
): SystemConfig | undefined {
  const path: ConfigPath = ["systems", name];
  const { connector, ...given } = input;
  const kind = kinds[connector];
  if (kind === undefined) {
    const known = Object.keys(kinds);
    problems.push({
      path: [...path, "connector"],
      message: `is ${showValue(connector)}${didYouMean(connector, known)}; allowed: ${known.join(", ")}`,
    });
    return undefined;
  }
  const leaks = findLeaks(path, given, kind);
  if (leaks.length > 0) {
    problems.push(...leaks);
    return undefined;
  }
  const schema = kind.settings.strict();
  const parsed = schema.safeParse(given);
  if (parsed.success) return { name, connector, settings: parsed.data };
  problems.push(...explainIssues(schema, given, parsed.error.issues, path));
  return undefined;
}

/** Secrets written out where a reference belongs, and credentials in URLs. Never quotes them. */
function findLeaks(
  path: ConfigPath,
  given: Readonly<Record<string, unknown>>,
  kind: ConnectorKind,
): readonly ConfigProblem[] {
  return Object.entries(given).flatMap(([key, value]): ConfigProblem[] => {
    if (kind.secrets.includes(key)) {
      if (value === undefined || (typeof value === "string" && isSecretReference(value))) return [];
      return [
        {
          path: [...path, key],
          message:
            "must be a reference to the secret, not the secret itself; allowed: env:NAME, file:PATH",
          hint: `Put the secret into an environment variable and write \`${key}: env:NAME\`; if the file was shared, renew the secret.`,
        },
      ];
    }
    if (typeof value !== "string" || !/^[a-z][a-z0-9+.-]*:\/\/[^/]*@/i.test(value)) return [];
    return [
      {
        path: [...path, key],
        message: "is a URL with credentials in it; expected a URL without them",
        hint: `Take the part before the "@" out of the URL and refer to it as a secret: ${kind.secrets.join(", ") || "none is known"}.`,
      },
    ];
  });
}

interface Around {
  /** Absolute; relative paths are meant from here. */
  readonly directory: string;
  readonly input: ConfigInput;
  readonly systems: ReadonlyMap<string, SystemConfig>;
  readonly kinds: ConnectorKinds;
  readonly problems: ConfigProblem[];
}

function resolveSync(name: string, sync: SyncInput, around: Around): SyncConfig {
  const { problems } = around;
  const path: ConfigPath = ["syncs", name];
  const into = sync.into ?? "home";
  checkSystem([...path, "replicate"], sync.replicate, "source", around);
  if (into !== "home") checkSystem([...path, "into"], into, "destination", around);
  if (into === sync.replicate) {
    problems.push({
      path: [...path, "into"],
      message: `is ${showValue(into)}, which is also the source; expected another system`,
    });
  }
  const source = around.systems.get(sync.replicate);
  const defaults = source
    ? around.kinds[source.connector]?.streamDefaults?.(source.settings)
    : undefined;
  const names = Object.keys(sync.streams);
  if (names.length === 0) {
    problems.push({
      path: [...path, "streams"],
      message: "is empty; expected at least one stream",
    });
  }
  const streams = Object.entries(sync.streams).map(([stream, given]) =>
    resolveStream(stream, given ?? {}, {
      sync,
      path: [...path, "streams", stream],
      names,
      defaults: defaults?.[stream] ?? {},
      problems,
    }),
  );
  const workers = sync.workers ?? 1;
  const spec: ReplicateSpec = {
    name,
    streams,
    guard: resolveGuard(sync.guard ?? {}, [...path, "guard"], problems),
    concurrency: sync.concurrency ?? DEFAULT_CONCURRENCY,
    leaseMs: LEASE_MS,
    ...(workers > 1 ? { workers } : {}),
  };
  checkHistory(path, into, spec, around);
  if (sync.media === undefined) return { name, source: sync.replicate, into, spec };
  const { media, access } = resolveMedia(sync.media, {
    path: [...path, "media"],
    directory: around.directory,
    streams: names,
    defaults: defaults ?? {},
    problems,
  });
  return { name, source: sync.replicate, into, spec: { ...spec, media }, media: access };
}

function checkSystem(
  path: ConfigPath,
  name: string,
  role: "source" | "destination",
  around: Around,
): void {
  const known = Object.keys(around.input.systems);
  const system = around.input.systems[name];
  if (system === undefined) {
    const allowed = role === "destination" ? ["home", ...known] : known;
    around.problems.push({
      path,
      message: `is ${showValue(name)}, which is no configured system${didYouMean(name, allowed)}; allowed: ${allowed.join(", ")}`,
    });
    return;
  }
  const kind = around.kinds[system.connector];
  if (kind !== undefined && !kind.roles.includes(role)) {
    const verb = role === "source" ? "replicated" : "replicated into";
    around.problems.push({
      path,
      message: `is ${showValue(name)}, and a ${system.connector} system cannot be ${verb}`,
    });
    return;
  }
  const settings = around.systems.get(name)?.settings;
  const unfit = settings && kind?.unfitFor?.(role, settings);
  if (unfit !== undefined) {
    around.problems.push({ path, message: `is ${showValue(name)}, ${unfit}` });
  }
}

/** A destination that tells changes has none to tell where no history is kept. */
function checkHistory(path: ConfigPath, into: string, spec: ReplicateSpec, around: Around): void {
  const system = around.systems.get(into);
  if (system === undefined) return;
  if (!around.kinds[system.connector]?.tellsHistory?.(system.settings)) return;
  for (const { stream, history } of spec.streams) {
    if (history !== "off") continue;
    around.problems.push({
      path: [...path, "streams", stream],
      message: `has no history, and ${showValue(into)} writes the changes that a history keeps; expected \`history: full\` or \`changes\`, or \`changes: false\` for the system`,
    });
  }
}

function resolveGuard(guard: GuardInput, path: ConfigPath, problems: ConfigProblem[]): GuardSpec {
  const share = (key: "deleteShare" | "countTolerance"): number => {
    const given = guard[key];
    if (given === undefined) return DEFAULT_GUARD[key];
    const parsed = parseShare(given);
    if (parsed === undefined) {
      problems.push({
        path: [...path, key],
        message: `is ${showValue(given)}; expected a share from 0% to 100%`,
      });
    }
    return parsed ?? DEFAULT_GUARD[key];
  };
  return {
    deleteShare: share("deleteShare"),
    deleteCount: guard.deleteCount ?? DEFAULT_GUARD.deleteCount,
    deleteFloor: guard.deleteFloor ?? DEFAULT_GUARD.deleteFloor,
    countTolerance: share("countTolerance"),
    parkedCount: guard.parkedCount ?? DEFAULT_GUARD.parkedCount,
  };
}
