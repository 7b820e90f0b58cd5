import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";

/** What is measured, as JavaScript: stripping types at the start of a process takes its time. */
export interface Built {
  /** Holds all of them; two runs of the bench at once have two. */
  readonly folder: string;
  /** The package's `app.js`. */
  readonly app: string;
  readonly floor: string;
  readonly replicate: string;
}

/**
 * Compiles the package as it is published, and the scripts of the bench that are measured, into a
 * folder from which their dependencies are found.
 */
export function buildPackage(name = `lockstep-bench-${process.pid}`): Built {
  const root = dirname(import.meta.dirname);
  const folder = join(root, "node_modules", ".cache", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [compiler, "-p", "tsconfig.build.json", "--outDir", join(folder, "dist")];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  const app = join(folder, "dist", "app.js");
  if (!existsSync(app)) throw new Error(`The package does not compile:\n${stdout}`);
  if (status !== 0) console.error(`The package compiles with errors:\n${stdout}`);
  const stripped = (script: string): string => {
    const source = readFileSync(join(import.meta.dirname, `${script}.ts`), "utf8");
    const path = join(folder, `${script}.js`);
    writeFileSync(path, stripTypeScriptTypes(source));
    return path;
  };
  return { folder, app, floor: stripped("floor"), replicate: stripped("replicate") };
}
