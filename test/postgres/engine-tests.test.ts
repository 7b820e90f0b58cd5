import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { postgresMissing, postgresServer } from "./server.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** The tests whose worlds stand on whatever home they are given. */
function worldTests(): readonly string[] {
  return globSync("src/**/*.test.ts", { cwd: ROOT }).filter((file) =>
    /\/(replica|reconcile)-world\.ts/.test(readFileSync(join(ROOT, file), "utf8")),
  );
}

suite("PostgreSQL", { skip: postgresMissing }, () => {
  test("every test of the engine on a world of its own holds on PostgreSQL", async (t) => {
    const files = worldTests();
    assert.ok(files.length >= 10, `only ${files.length} files were found`);
    const { url } = await (await postgresServer()).createDatabase();
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      process.execPath,
      ["--test", "--test-reporter=tap", "--test-concurrency=2", ...files],
      { cwd: ROOT, env: { ...env, LOCKSTEP_TEST_POSTGRES: url } },
    );
    const said: string[] = [];
    child.stdout.on("data", (data: Buffer) => said.push(data.toString()));
    child.stderr.on("data", (data: Buffer) => said.push(data.toString()));
    const code = await new Promise((resolve) => child.on("exit", resolve));
    const told = said.join("");
    const failed = told.split("\n").filter((line) => /^\s*not ok /.test(line));
    t.diagnostic(/^# pass \d+/m.exec(told)?.[0] ?? "no count of tests was told");
    assert.deepEqual(failed, []);
    assert.equal(code, 0, told.slice(-4000));
    assert.match(told, /\(postgres\)/, "no test ran on PostgreSQL");
  });
});
