import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;

before(async () => {
  mls = await startSmallMls({ listings: 40 });
  place = createPlace(mls);
  await place.heal();
});
after(async () => {
  await mls.close();
  place.remove();
});

interface Parts {
  readonly token?: string;
  readonly system?: string;
  readonly stream?: string;
  readonly settings?: string;
}

/** What a person wrote, with a mistake somewhere. */
function configText({ token, system, stream, settings }: Parts): string {
  return `systems:
  mls:
    connector: reso
    profile: wfrmls
    url: ${mls.url}
    token: ${token ?? "env:MLS_TOKEN"}
${system ?? "    budget: { perSecond: 1000 }"}
syncs:
  listings:
    replicate: mls
    streams:
      ${stream ?? "Property"}:
${settings ?? "        deletes: remove"}
`;
}

interface Case extends Parts {
  readonly name: string;
  readonly told: string;
  /** The mistake shows only beside the source's metadata. */
  readonly opens?: true;
}

const CASES: readonly Case[] = [
  {
    name: "an unknown key of a stream",
    settings: "        fields: [ListPrice]",
    told: `Failed: lockstep.yaml:13: syncs.listings.streams.Property.fields is not a known key; allowed: KEYS.
What to do: Correct the named path; the message lists what is allowed.
Code: CONFIG_INVALID`,
  },
  {
    name: "an unknown key of a system",
    system: "    retrys: { attempts: 3 }",
    told: `Failed: lockstep.yaml:7: systems.mls.retrys is not a known key (did you mean "retry"?); allowed: KEYS.
What to do: Correct the named path; the message lists what is allowed.
Code: CONFIG_INVALID`,
  },
  {
    name: "a value that makes no sense",
    system: "    retry: { attempts: 0 }",
    told: `Failed: lockstep.yaml:7: systems.mls.retry.attempts is "0"; expected at least 1.
What to do: Correct the named path; the message lists what is allowed.
Code: CONFIG_INVALID`,
  },
  {
    name: "text that is no YAML",
    settings: "        select: [ListPrice",
    told: `Failed: lockstep.yaml:14: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].
What to do: Check the indentation and the quotes there.
Code: CONFIG_INVALID`,
  },
  {
    name: "a secret written out, which is not repeated",
    token: "abc123def",
    told: `Failed: lockstep.yaml:6: systems.mls.token must be a reference to the secret, not the secret itself; allowed: env:NAME, file:PATH.
What to do: Put the secret into an environment variable and write \`token: env:NAME\`; if the file was shared, renew the secret.
Code: CONFIG_INVALID`,
  },
  {
    name: "a secret whose variable is not set",
    token: "env:NOWHERE",
    told: `Failed: systems.mls.token: The environment variable "NOWHERE" is not set.
What to do: Set it, for example with \`export NOWHERE=…\`, then run again.
Code: SECRET_MISSING`,
  },
  {
    name: "a secret whose file is not there",
    token: "file:./token.txt",
    told: `Failed: systems.mls.token: The secret file "FOLDER/token.txt" cannot be read.
What to do: Create the file with nothing but the secret in it, readable by you alone.
Code: SECRET_MISSING`,
  },
  {
    name: "a field in `select` that does not exist",
    settings: "        select: [ListPrise, City]",
    opens: true,
    told: `Failed: 1 of 1 stream of listings failed (incremental, then deletions; N s); nothing that was saved is lost.

Property failed in the incremental and the deletions run: Stream "Property" has no field "ListPrise", which \`select\` names.
  What to do: Did you mean ListPrice?
  Code: FIELD_UNKNOWN`,
  },
  {
    name: "a stream that does not exist",
    stream: "Properti",
    opens: true,
    told: `Failed: 1 of 1 stream of listings failed (full; N s); nothing that was saved is lost.

Properti failed: The system has no stream "Properti"; it has Property, Member, Office, OpenHouse, Media, DataSystem, Resource, PropertyUnitTypes, Adu, Lookup.
  What to do: Did you mean Property?
  Code: STREAM_UNKNOWN`,
  },
];

for (const { name, told, opens, ...parts } of CASES) {
  test(`${name} is refused with exit 2`, async () => {
    mls.control.editMany({ count: 5, fields: { PublicRemarks: name } });
    const before = readFileSync(place.home);
    place.configure(configText(parts));
    const failed = await place.lockstep(["run"]);
    assert.equal(failed.told.replace(/allowed: \w+,.*\./, "allowed: KEYS."), told);
    assert.equal(failed.exit, 2);
    if (opens !== true) assert.ok(before.equals(readFileSync(place.home)), "the home was written");
    place.configure();
    if (opens === true) await place.heal();
  });
}

test("a configuration that is not there", async () => {
  const failed = await place.lockstep(["run", "--config", "other.yaml"]);
  assert.equal(
    failed.told,
    `Failed: The configuration file "other.yaml" does not exist.
What to do: Run \`lockstep init wfrmls\` for a copy or \`lockstep init reconcile\` for systems to keep in step, or name the file with \`--config FILE\`.
Code: CONFIG_NOT_FOUND`,
  );
  assert.equal(failed.exit, 2);
});
