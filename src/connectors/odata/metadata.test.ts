import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import type { SyncError } from "../../model/sync-error.ts";
import { resolveOdataSettings } from "./config.ts";
import { parseMetadata } from "./metadata.ts";
import { streamsOf } from "./streams.ts";

const REAL = "../shared/data/wfrmls-metadata.xml";
const settings = resolveOdataSettings({ url: "https://mls.example/odata" });

/** A document with these contents in the types' schema and, unless given, one set `Things`. */
function document(types: string, container?: string): string {
  const own =
    container ??
    '<EntityContainer Name="C"><EntitySet Name="Things" EntityType="N.Thing"/></EntityContainer>';
  return `<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices>
<Schema Namespace="Default">${own}</Schema>
<Schema Namespace="Some.Long.Namespace" Alias="N">${types}</Schema>
</edmx:DataServices></edmx:Edmx>`;
}

const KEY =
  '<Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Edm.Int32" Nullable="false"/>';
const thing = (properties: string): string =>
  `<EntityType Name="Thing">${KEY}${properties}</EntityType>`;

function fieldsOf(types: string) {
  const stream = streamsOf(parseMetadata(document(types)), settings).get("Things");
  assert.ok(stream);
  return new Map(stream.schema.fields.map((field) => [field.name, field]));
}

test("the real WFRMLS document is read whole", (t) => {
  if (!existsSync(REAL)) return t.skip(`${REAL} is absent`);
  const service = parseMetadata(readFileSync(REAL, "utf8"));
  assert.equal(service.sets.length, 10);
  assert.equal(service.enums.length, 107);
  assert.equal(service.enums.filter((type) => type.isFlags).length, 69);
  const members = service.enums.flatMap((type) => type.members);
  assert.equal(members.length, 7364);
  assert.equal(members.filter((member) => member.value > 2n ** 31n - 1n).length > 0, true);
  const business = service.enums.find((type) => type.name === "Odata.Models.BusinessType");
  const greatest = (business?.members ?? []).map((m) => m.value).reduce((a, b) => (a > b ? a : b));
  assert.equal(greatest, 4_611_686_018_427_387_904n);

  const streams = streamsOf(service, settings);
  const shapes = [...streams.values()].map(({ schema }) => [
    schema.name,
    schema.key.join(),
    schema.fields.length,
    schema.modifiedAt,
  ]);
  assert.deepEqual(shapes.slice(0, 2), [
    ["Property", "ListingKeyNumeric", 327, "ModificationTimestamp"],
    ["Member", "MemberKeyNumeric", 35, "ModificationTimestamp"],
  ]);
  const property = streams.get("Property");
  const field = (name: string) => property?.schema.fields.find((each) => each.name === name);
  assert.deepEqual(field("ListPrice")?.type, { kind: "decimal", precision: 14, scale: 2 });
  assert.deepEqual(field("ListingKeyNumeric")?.type, { kind: "integer", bits: 32 });
  assert.deepEqual(field("ModificationTimestamp")?.type, { kind: "timestamp" });
  assert.deepEqual(field("GeoLocation")?.type, { kind: "json" });
  assert.equal(field("MlsStatus")?.lookup, "Status");
  assert.deepEqual(field("AccessibilityFeatures")?.type, {
    kind: "list",
    of: { kind: "text" },
    ordered: false,
  });
  assert.deepEqual(property?.related.get("Media"), "Media");
  const city = property?.decoding.lookups?.get("City");
  assert.equal(city?.displays.get("SaltLakeCity"), "Salt Lake City");
});

test("all styles of lookups are told apart", () => {
  const fields = fieldsOf(`
    <EnumType Name="Status"><Member Name="Active" Value="1"/></EnumType>
    <EnumType Name="Roof" IsFlags="true"><Member Name="Tile" Value="4611686018427387904">
      <Annotation Term="RESO.OData.Metadata.StandardName" String="Clay &amp; Tile&#39;s"/></Member></EnumType>
    ${thing(`
      <Property Name="Single" Type="N.Status"/>
      <Property Name="Flags" Type="N.Roof"><Annotation Term="RESO.OData.Metadata.LookupName" String="RoofType"/></Property>
      <Property Name="Many" Type="Collection(Some.Long.Namespace.Status)"/>
      <Property Name="Text" Type="Edm.String"><Annotation Term="RESO.OData.Metadata.LookupName"><String>City</String></Annotation></Property>
      <Property Name="Texts" Type="Collection(Edm.String)"><Annotation Term="RESO.OData.Metadata.LookupName" String="View"/></Property>
      <Property Name="Plain" Type="Collection(Edm.String)"/>
    `)}`);
  const set = { kind: "list", of: { kind: "text" }, ordered: false };
  assert.deepEqual(
    [...fields.values()].slice(1).map(({ name, type, lookup }) => [name, type, lookup]),
    [
      ["Single", { kind: "text" }, "Status"],
      ["Flags", set, "RoofType"],
      ["Many", set, "Status"],
      ["Text", { kind: "text" }, "City"],
      ["Texts", set, "View"],
      ["Plain", { ...set, ordered: true }, undefined],
    ],
  );
});

test("references in attributes are undone, once", () => {
  const service = parseMetadata(
    document(
      `<EnumType Name="E"><Member Name="A"><Annotation Term="X.StandardName" String="a &amp;#39; &lt;b&gt; &#x41;"/></Member><Member Name="B"/></EnumType>${thing("")}`,
    ),
  );
  assert.deepEqual(service.enums[0]?.members, [
    { name: "A", display: "a &#39; <b> A", value: 0n },
    { name: "B", display: "B", value: 1n },
  ]);
});

test("facets that mean nothing are passed over", () => {
  const fields = fieldsOf(
    thing(`
    <Property Name="A" Type="Edm.Int32" Precision="255" Scale="0"/>
    <Property Name="B" Type="Edm.DateTimeOffset" MaxLength="27" Precision="0"/>
    <Property Name="C" Type="Edm.String" MaxLength="max"/>
    <Property Name="D" Type="Edm.Decimal" Precision="5" Scale="variable"/>
    <Property Name="E" Type="Edm.Decimal" Precision="2" Scale="9"/>
    <Property Name="F" Type="Edm.Decimal" Scale="2"/>
    <Property Name="G" Type="Edm.String" MaxLength="0"/>
    <Property Name="H" Type="Edm.Stream"/>
  `),
  );
  assert.deepEqual(
    [...fields.values()].slice(1).map(({ type }) => type),
    [
      { kind: "integer", bits: 32 },
      { kind: "timestamp" },
      { kind: "text" },
      { kind: "decimal" },
      { kind: "decimal" },
      { kind: "decimal" },
      { kind: "text" },
    ],
  );
});

test("base types, type definitions, complex types and targeted annotations are followed", () => {
  const fields = fieldsOf(`
    <TypeDefinition Name="Money" UnderlyingType="Edm.Decimal"/>
    <ComplexType Name="Address"><Property Name="City" Type="Edm.String"/></ComplexType>
    <EntityType Name="Root" Abstract="true">${KEY}</EntityType>
    <EntityType Name="Middle" BaseType="N.Root"><Property Name="Price" Type="N.Money"/></EntityType>
    <EntityType Name="Thing" BaseType="Some.Long.Namespace.Middle">
      <Property Name="Home" Type="N.Address"/><Property Name="Homes" Type="Collection(N.Address)"/>
      <Property Name="City" Type="Edm.String"/></EntityType>
    <Annotations Target="N.Thing/City"><Annotation Term="RESO.OData.Metadata.LookupName" String="City"/></Annotations>`);
  assert.deepEqual([...fields.keys()], ["Id", "Price", "Home", "Homes", "City"]);
  assert.deepEqual(fields.get("Id")?.nullable, false);
  assert.deepEqual(fields.get("Price")?.type, { kind: "decimal" });
  assert.deepEqual(fields.get("Homes")?.type, { kind: "json" });
  assert.equal(fields.get("City")?.lookup, "City");
});

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ["nothing", "", /is empty/],
  ["text", "Service Unavailable", /is not XML/],
  ["a web page", "<!DOCTYPE html><html><body>Login</body></html>", /is a web page/],
  ["a document type", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', /document type/],
  ["cut XML", document(thing("")).slice(0, 260), /not well-formed XML at line \d/],
  ["crossed tags", "<a>\n<b>\n</a></b>", /at line 3/],
  ["another root", "<Other/>", /no root element Edmx/],
  ["no schema", "<Edmx><DataServices/></Edmx>", /no Schema/],
  ["no container", document(thing(""), ""), /no EntityContainer/],
  [
    "an unknown type",
    document(thing('<Property Name="X" Type="Edm.Nonsense"/>')),
    /the property "X" of "Some\.Long\.Namespace\.Thing" the unknown type "Edm\.Nonsense"/,
  ],
  [
    "an undeclared enum",
    document(thing('<Property Name="X" Type="N.Gone"/>')),
    /the unknown type "Some\.Long\.Namespace\.Gone"/,
  ],
  [
    "a cycle of base types",
    document('<EntityType Name="Thing" BaseType="N.B"/><EntityType Name="B" BaseType="N.Thing"/>'),
    /a cycle of base types at "Some\.Long\.Namespace\.Thing"/,
  ],
  [
    "an unknown base type",
    document('<EntityType Name="Thing" BaseType="N.Gone"/>'),
    /unknown base type "Some\.Long\.Namespace\.Gone"/,
  ],
  [
    "a type twice",
    document(thing("") + thing("")),
    /the type "Some\.Long\.Namespace\.Thing" twice/,
  ],
  [
    "a property twice",
    document(thing('<Property Name="Id" Type="Edm.Int32"/>')),
    /the property "Id" of "Some\.Long\.Namespace\.Thing" twice/,
  ],
  [
    "a member twice",
    document(`<EnumType Name="E"><Member Name="A"/><Member Name="A"/></EnumType>${thing("")}`),
    /the member "A" of "Some\.Long\.Namespace\.E" twice/,
  ],
  [
    "a member value that is no number",
    document(`<EnumType Name="E"><Member Name="A" Value="x"/></EnumType>${thing("")}`),
    /the member "A".* the value "x"/,
  ],
  [
    "a set of an unknown type",
    document(
      "",
      '<EntityContainer Name="C"><EntitySet Name="S" EntityType="N.Gone"/></EntityContainer>',
    ),
    /the entity set "S" the unknown entity type "Some\.Long\.Namespace\.Gone"/,
  ],
  [
    "a set twice",
    document(
      thing(""),
      `<EntityContainer Name="C">${'<EntitySet Name="S" EntityType="N.Thing"/>'.repeat(2)}</EntityContainer>`,
    ),
    /the entity set "S" twice/,
  ],
  [
    "a type without a key",
    document('<EntityType Name="Thing"><Property Name="A" Type="Edm.Int32"/></EntityType>'),
    /no key for the type "Some\.Long\.Namespace\.Thing" of the entity set "Things"/,
  ],
  [
    "a key that is no property",
    document('<EntityType Name="Thing"><Key><PropertyRef Name="Gone"/></Key></EntityType>'),
    /names "Gone" as a key/,
  ],
  [
    "a nameless property",
    document(thing('<Property Type="Edm.Int32"/>')),
    /a property of .* without Name/,
  ],
];

for (const [what, text, message] of BAD) {
  test(`a document with ${what} is refused, naming the place`, () => {
    assert.throws(
      () => parseMetadata(text),
      (error: SyncError) => {
        assert.equal(error.code, "METADATA_INVALID");
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

const WRONG: readonly (readonly [string, object, string, RegExp])[] = [
  ["a key", { key: "Idd" }, "FIELD_UNKNOWN", /no field "Idd".*near it: "Id"/],
  ["a time", { modifiedAt: "Changd" }, "FIELD_UNKNOWN", /near it: "Changed"/],
  ["a time of another type", { modifiedAt: "Id" }, "CONFIG_INVALID", /is no timestamp/],
  ["a zoned field", { zones: { Opend: "America/Denver" } }, "FIELD_UNKNOWN", /near it: "Opened"/],
  ["a zone", { zones: { Opened: "Mars/Olympus" } }, "CONFIG_INVALID", /zone "Mars\/Olympus"/],
  [
    "a zone of the time",
    { modifiedAt: "Changed", zones: { Changed: "UTC" } },
    "CONFIG_INVALID",
    /orders changes/,
  ],
];

for (const [what, own, code, message] of WRONG) {
  test(`${what} that is wrongly configured is refused before anything is read`, () => {
    const service = parseMetadata(
      document(
        thing(
          '<Property Name="Changed" Type="Edm.DateTimeOffset"/><Property Name="Opened" Type="Edm.DateTimeOffset"/>',
        ),
      ),
    );
    const wrong = resolveOdataSettings({ url: "https://x.example", streams: { Things: own } });
    assert.throws(
      () => streamsOf(service, wrong),
      (error: SyncError) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("settings for a stream that does not exist are refused, naming what is near", () => {
  const wrong = resolveOdataSettings({ url: "https://x.example", streams: { Thing: {} } });
  assert.throws(
    () => streamsOf(parseMetadata(document(thing(""))), wrong),
    (error: SyncError) =>
      error.code === "STREAM_UNKNOWN" && /"Thing"; it has Things/.test(error.message),
  );
});
