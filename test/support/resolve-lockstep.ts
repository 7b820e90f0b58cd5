/**
 * Makes `import … from "lockstep"` mean the source in this process, so that the examples are run
 * as they stand and never against a build of yesterday. Load it first.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const ROOT = new URL("../../", import.meta.url);

const manifest = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly default: string }>>;
};
const sources = new Map(
  Object.entries(manifest.exports).map(([path, entry]) => [
    path.replace(".", manifest.name),
    new URL(entry.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"), ROOT).href,
  ]),
);

registerHooks({
  resolve(specifier, context, next) {
    const url = sources.get(specifier);
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
  },
});
