import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { fakeIo } from "../../test/support/cli-io.ts";
import { configSchema, openLockstep, systemTypes } from "../app.ts";
import { runCli } from "../cli/run-cli.ts";
import { parseMetadata } from "../connectors/odata/metadata.ts";
import { resolveResoSettings } from "../connectors/reso/config.ts";
import { startSampleMls } from "../testing/sample-mls/index.ts";
import { createTemporaryFolder } from "../testing/temporary-folder.ts";
import { serviceTypes } from "./system-types.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WFRMLS = resolve(ROOT, "../shared/data/wfrmls-metadata.xml");
const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };
const SETTINGS = resolveResoSettings({ profile: "wfrmls", url: "http://127.0.0.1/reso/odata" });

function folderOf(t: TestContext): string {
  const { path, remove } = createTemporaryFolder();
  t.after(remove);
  return path;
}

/** What the compiler says of the files of a folder under the project's own strict settings. */
function compile(folder: string): readonly string[] {
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      typeRoots: [join(ROOT, "node_modules/@types")],
      paths: { "lockstep/reso": [join(ROOT, "src/reso.ts")] },
    },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", folder], {
    encoding: "utf8",
    cwd: folder,
  });
  assert.ok(status === 0 || stdout.includes("error TS"), stdout);
  // What is wrong in the source itself is another check's matter.
  return stdout.split("\n").filter((line) => /^\w+\.ts\(/.test(line));
}

const USE = `import { createResoClient } from "lockstep/reso";
import type { Property, Streams } from "./mls.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value?: T): T | undefined => value;

const client = createResoClient<Streams>({ url: "https://example.com/odata" });
export async function use(): Promise<void> {
  client.property.list({ filter: { StandardStatus: "Active", ListPrice: { ge: 500000 } } });
  client.property.list({ filter: { City: { in: ["Sandy", "Draper"] }, CloseDate: null } });
  client.property.list({ filter: { InteriorFeatures: { has: "Gas Log" }, or: [{ ListPrice: "1" }] } });
  client.property.list({ filter: { ModificationTimestamp: { ge: new Date(0), lt: "2026-01-01T00:00:00Z" } } });
  client.property.list({ filter: { SourceSystemSequence: { gt: 9n } }, orderBy: ["ListPrice desc", "City"] });
  client.property.list({ filter: "ListPrice gt 1" });
  client.property.near({ latitude: 40, longitude: -111, miles: 2, filter: { StandardStatus: "Active" } });
  const whole = await client.property.get(1);
  holds<Same<(typeof whole)["ListPrice"], Property["ListPrice"]>>();
  holds<Same<(typeof whole)["BedroomsTotal"], number | null>>();
  holds<Same<(typeof whole)["ListingKeyNumeric"], number>>();
  const part = await client.property.get(1, { select: ["ListPrice"], expand: ["Media"] });
  holds<Same<keyof typeof part, "ListPrice" | "Media">>();
  holds<Same<(typeof part)["Media"][number]["MediaKey"], string>>();
  for await (const gone of client.deleted.list("Property")) holds<Same<(typeof gone)["key"], number>>();
  for await (const page of client.media.list({ top: 5 }).pages()) page.map((each) => each.MediaKey);
  const loose = createResoClient({ url: "https://example.com/odata" });
  await loose.property.get("x", { expand: ["Anything"] });
  loose.set("Whatever").list({ filter: { Any: { ge: 1 }, or: [{ Other: "x" }] }, orderBy: "Any desc" });
  // @ts-expect-error a value that the lookup does not have
  client.property.list({ filter: { StandardStatus: "Actve" } });
  // @ts-expect-error a field that the set does not have
  client.property.list({ filter: { StandardStats: "Active" } });
  // @ts-expect-error of a lookup nothing is greater
  client.property.list({ filter: { StandardStatus: { gt: "Active" } } });
  // @ts-expect-error a text for a number
  client.property.list({ filter: { BedroomsTotal: { ge: "3" } } });
  // @ts-expect-error a flag that the lookup does not have
  client.property.list({ filter: { InteriorFeatures: { has: "Gas Lg" } } });
  // @ts-expect-error a key is never null
  client.property.list({ filter: { ListingKeyNumeric: null } });
  // @ts-expect-error a field that the set does not have
  client.property.list({ select: ["ListPrise"] });
  // @ts-expect-error a relation that the set does not have
  client.property.list({ expand: ["Medium"] });
  // @ts-expect-error a field that the set does not have
  client.property.list({ orderBy: "ListPrise desc" });
  // @ts-expect-error a numeric key
  await client.property.get("1");
  // @ts-expect-error a field that was not selected
  part.City;
  // @ts-expect-error a set that the service does not have
  client.set("Propertys");
}
`;

test("lockstep types writes what compiles under strict, and types the client", async (t) => {
  const mls = await startSampleMls({ listings: 5 });
  t.after(() => mls.close());
  const directory = folderOf(t);
  const out = folderOf(t);
  const system = `{ connector: reso, profile: wfrmls, url: "${mls.url}", token: env:TOKEN }`;
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `systems:\n  mls: ${system}\nsyncs:\n  copy: { replicate: mls, streams: { Property: } }\n`,
  );
  const cli = async (...args: readonly string[]) => {
    const io = fakeIo({ directory, env: { TOKEN: mls.token } });
    return { exit: await runCli(args, io, APP), out: io.stdout(), err: io.stderr() };
  };
  const path = join(out, "mls.ts");
  const written = await cli("types", "--out", path);
  assert.deepEqual([written.exit, written.err], [0, ""]);
  assert.equal(existsSync(join(directory, "lockstep.db")), false);
  assert.match(written.out, /Wrote .*mls\.ts\n {2}10 entity sets, 18 lookups of system "mls"\n/);
  writeFileSync(join(out, "use.ts"), USE);
  assert.deepEqual(compile(out), []);

  assert.equal((await cli("types", "mls", "--out", path)).exit, 0, "its own file is written over");
  const printed = await cli("types");
  assert.equal(printed.out, readFileSync(path, "utf8"));
  const json = JSON.parse((await cli("types", "--json")).out);
  assert.deepEqual([json.system, json.streams, json.text], ["mls", 10, printed.out]);
  writeFileSync(path, "export {};\n");
  const refused = await cli("types", "--out", path);
  assert.equal(refused.exit, 2);
  assert.match(refused.err, /was not written by lockstep types/);
  assert.equal(readFileSync(path, "utf8"), "export {};\n");
  assert.equal((await cli("types", "--out", path, "--force")).exit, 0);
  const unknown = await cli("types", "mlss");
  assert.equal(unknown.exit, 2);
  assert.match(unknown.err, /No system "mlss" has \$metadata; those that have: "mls"/);
});

test("names that collide, that are no identifiers, and composite keys", async (t) => {
  const xml = `<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="M">
<EnumType Name="Json"><Member Name="A"/><Member Name="B"/></EnumType>
<EnumType Name="Pair"><Member Name="A"/></EnumType>
<EnumType Name="Empty"/>
</Schema><Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="N">
<ComplexType Name="C"/>
<EntityType Name="Pair"><Key><PropertyRef Name="A"/><PropertyRef Name="B"/></Key>
<Property Name="A" Type="Edm.Int32"/><Property Name="B" Type="Edm.Int64"/>
<Property Name="Kind" Type="M.Json"/><Property Name="Kinds" Type="Collection(M.Pair)" Nullable="false"/>
<Property Name="None" Type="M.Empty"/><Property Name="C" Type="N.C"/><Property Name="Größe" Type="Edm.Double"/>
<NavigationProperty Name="Next" Type="N.Pair"/></EntityType>
<EntityContainer Name="Container"><EntitySet Name="pair" EntityType="N.Pair"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>`;
  const folder = folderOf(t);
  const { text } = serviceTypes(parseMetadata(xml), SETTINGS);
  writeFileSync(join(folder, "mls.ts"), text);
  writeFileSync(
    join(folder, "use.ts"),
    `import { createResoClient } from "lockstep/reso";
import type { JsonValue, Pair, PairValue, Streams } from "./mls.ts";
const client = createResoClient<Streams>({ url: "https://example.com" });
export const key: Streams["pair"]["key"] = { A: 1, B: "2" };
export const next: Streams["pair"]["related"]["Next"] = null;
export const values: readonly [JsonValue, PairValue, Pair["Größe"], Pair["None"]] = ["A", "A", 1.5, "x"];
client.set("pair").list({ filter: { Kind: "B", Kinds: { hasAny: ["A"] }, Größe: { lt: 2 } } });
`,
  );
  assert.deepEqual(compile(folder), []);
});

const skip = existsSync(WFRMLS) ? false : "the real WFRMLS $metadata is not here";
test("the types of the real WFRMLS compile, huge lookups included", { skip }, (t) => {
  const folder = folderOf(t);
  const written = serviceTypes(parseMetadata(readFileSync(WFRMLS, "utf8")), SETTINGS);
  assert.equal(written.streams, 10);
  assert.ok(written.text.length > 50_000);
  writeFileSync(join(folder, "mls.ts"), written.text);
  writeFileSync(
    join(folder, "use.ts"),
    `import { createResoClient } from "lockstep/reso";
import type { Streams } from "./mls.ts";
const client = createResoClient<Streams>({ profile: "wfrmls" });
client.property.list({ filter: { City: { in: ["Sandy", "St. George"] } }, expand: ["Media"] });
// @ts-expect-error no such city
client.property.list({ filter: { City: "Sandi" } });
`,
  );
  assert.deepEqual(compile(folder), []);
});
