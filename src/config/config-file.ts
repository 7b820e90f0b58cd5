import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { isSyncError, SyncError } from "../model/sync-error.ts";
import type { ConfigPath, Locate } from "./config-problem.ts";

/** A configuration file as it was read: plain data, and where its parts stand. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As a person would name it: relative to where they are. */
  readonly label: string;
  readonly directory: string;
  readonly data: unknown;
  readonly locate: Locate;
}

const NAMES = [
  "lockstep.yaml",
  "lockstep.yml",
  "lockstep.config.ts",
  "lockstep.config.mjs",
  "lockstep.config.js",
];

/**
 * Reads the named file, or the one that stands in `directory`. Throws CONFIG_NOT_FOUND, or
 * CONFIG_INVALID for a file that cannot be parsed.
 */
export async function readConfigFile(directory: string, named?: string): Promise<ConfigFile> {
  const path = named === undefined ? findConfig(directory) : resolve(directory, named);
  if (!existsSync(path)) {
    throw new SyncError(
      "CONFIG_NOT_FOUND",
      `The configuration file "${named ?? path}" does not exist.`,
    );
  }
  const label = relative(directory, path).startsWith("..") ? path : relative(directory, path);
  const place = { path, label, directory: dirname(path) };
  return /\.ya?ml$/.test(path)
    ? { ...place, ...parseYaml(label, readText(path, label)) }
    : { ...place, data: await importConfig(path, label), locate: () => undefined };
}

function readText(path: string, label: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(label, error);
  }
}

function unreadable(label: string, cause: unknown): SyncError {
  return new SyncError("CONFIG_NOT_FOUND", `The configuration file "${label}" cannot be read.`, {
    hint: "Check that it is a file and that you may read it.",
    cause,
  });
}

function findConfig(directory: string): string {
  const found = NAMES.filter((name) => existsSync(resolve(directory, name)));
  const [first, second] = found;
  if (first === undefined) {
    throw new SyncError("CONFIG_NOT_FOUND", `There is no lockstep.yaml in "${directory}".`);
  }
  if (second !== undefined) {
    throw new SyncError(
      "CONFIG_INVALID",
      `Two configurations stand side by side: ${first} and ${second}.`,
      {
        hint: "Remove one, or name the one you mean with `--config FILE`.",
      },
    );
  }
  return resolve(directory, first);
}

function parseYaml(label: string, text: string): Pick<ConfigFile, "data" | "locate"> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line;
    throw new SyncError("CONFIG_INVALID", `${label}:${line}: not valid YAML: ${error.message}.`, {
      hint: "Check the indentation and the quotes there.",
      details: { problems: [{ path: "", line, message: error.message }] },
    });
  }
  const locate: Locate = (path, atKey) => {
    const offset = offsetAt(document.contents, path, atKey);
    return offset === undefined ? undefined : lines.linePos(offset).line;
  };
  return { data: document.toJS() as unknown, locate };
}

/** Offset of the node at a path, of its key if it stands in a mapping; of the nearest parent. */
function offsetAt(root: Node | null, path: ConfigPath, atKey: boolean): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(part),
      );
      if (pair === undefined) return offset;
      node = pair.value;
      const isLast = depth === path.length - 1;
      const at = isLast && !atKey && isScalar(node) && node.range ? node : pair.key;
      offset = (at as Node).range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

async function importConfig(path: string, label: string): Promise<unknown> {
  const module = await load(path, label);
  const config = module.default ?? module.config;
  if (config === undefined) {
    throw new SyncError("CONFIG_INVALID", `${label} exports no configuration.`, {
      hint: `Write \`export default defineConfig({ … })\` in ${basename(path)}.`,
    });
  }
  return config;
}

interface ConfigModule {
  readonly default?: unknown;
  readonly config?: unknown;
}

async function load(path: string, label: string): Promise<ConfigModule> {
  try {
    return (await import(pathToFileURL(path).href)) as ConfigModule;
  } catch (error) {
    throw isSyncError(error) ? error : unloadable(label, error);
  }
}

function unloadable(label: string, cause: unknown): SyncError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SyncError("CONFIG_INVALID", `${label} cannot be loaded: ${reason.split("\n")[0]}.`, {
    hint: "Run it with `node` by itself to see the whole error.",
    cause,
  });
}
