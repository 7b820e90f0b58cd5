import assert from "node:assert/strict";
import test from "node:test";
import { resoBudget, resoConfigSchema, resolveResoSettings, resoStreamDefaults } from "./config.ts";

test("the WFRMLS profile fills in what is known of it, and settings win over it", () => {
  const settings = resolveResoSettings({ profile: "wfrmls", token: "t" });
  assert.equal(settings.url, "https://resoapi.utahrealestate.com/reso/odata");
  assert.equal(settings.pageSize, 200);
  assert.equal(settings.deletions?.set, "Deleted");
  assert.equal(settings.deletions?.keyField, "primary_key");
  assert.equal(settings.deletions?.resources("OpenHouse"), "OpenHouse");
  assert.equal(settings.deletions?.resources("Lookup"), undefined);

  const own = resolveResoSettings({
    profile: "wfrmls",
    url: "https://mls.example/odata/",
    pageSize: 50,
    deletions: { time: "DeletedAt", streams: { Property: "Listing" }, retentionDays: 7 },
    streams: { OpenHouse: { zones: { OpenHouseStartTime: "America/Denver" } } },
  });
  assert.equal(own.url, "https://mls.example/odata");
  assert.equal(own.pageSize, 50);
  assert.equal(own.deletions?.timeField, "DeletedAt");
  assert.equal(own.deletions?.keyField, "primary_key");
  assert.equal(own.deletions?.resources("Property"), "Listing");
  assert.equal(own.deletions?.resources("OpenHouse"), undefined);
  assert.equal(own.deletions?.retentionMs, 7 * 86_400_000);
  assert.deepEqual(own.streams["OpenHouse"]?.zones, {
    OpenHouseStartTime: { zone: "America/Denver", applies: "missing" },
  });
  assert.deepEqual(own.requiredStreams, ["OpenHouse"]);
  assert.equal(resolveResoSettings({ profile: "wfrmls", deletions: false }).deletions, undefined);
});

test("a profile brings a budget, parents and monitored fields", () => {
  assert.equal(resoBudget({ profile: "wfrmls" }).perMinute, 90);
  assert.deepEqual(resoBudget({ profile: "wfrmls", budget: { perHour: 10 } }), { perHour: 10 });
  assert.deepEqual(resoBudget({ profile: "wfrmls", url: "http://127.0.0.1:8080/odata" }), {});
  const { Media, Property } = resoStreamDefaults({ profile: "wfrmls" });
  assert.equal(Media?.parent?.stream, "Property");
  assert.deepEqual(Property?.monitor?.transitions[0], ["Active", "Pending"]);
});

const CONFIGS: readonly (readonly [object, boolean])[] = [
  [{ profile: "wfrmls", token: "env:T" }, true],
  [
    {
      url: "https://mls.example/odata",
      token: "env:T",
      streams: { Property: { modifiedAt: null } },
    },
    true,
  ],
  [{ profile: "wfrmls", deletions: { streams: ["Property"] } }, true],
  [
    {
      profile: "wfrmls",
      streams: { OpenHouse: { zones: { A: { zone: "UTC", applies: "always" } } } },
    },
    true,
  ],
  [{ token: "env:T" }, false],
  [{ profile: "nowhere" }, false],
  [{ profile: "wfrmls", pagesize: 5 }, false],
  [{ profile: "wfrmls", pageSize: 0 }, false],
  [{ profile: "wfrmls", url: "http://mls.example" }, false],
  [{ profile: "wfrmls", deletions: { field: "x" } }, false],
];

for (const [config, isValid] of CONFIGS) {
  test(`${JSON.stringify(config)} is ${isValid ? "taken" : "refused"}`, () => {
    assert.equal(resoConfigSchema.safeParse(config).success, isValid);
  });
}
