import type { EntityDefinition, EnumDefinition, Model, PropertyDefinition } from "./model.ts";
import type { SampleData } from "./options.ts";

/**
 * Writes the `$metadata` document in the shape of WFRMLS: two `Schema` elements, no `Nullable`,
 * enums that declare Int32 whatever their values, facets that mean nothing.
 */
export function metadataXml(model: Model, lookups: SampleData["lookupStyle"] = "enum"): string {
  const entities = model.entities.filter((entity) => !entity.isUndocumented);
  const lines = [
    `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`,
    `<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">`,
    `    <edmx:DataServices>`,
    `        <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Default">`,
    `            <EntityContainer Name="Container">`,
    ...entities.flatMap(entitySetLines),
    `            </EntityContainer>`,
    `        </Schema>`,
    `        <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Odata.Models">`,
    ...(lookups === "enum" ? [...model.enums.values()].flatMap(enumLines) : []),
    ...entities.flatMap((entity) =>
      entityTypeLines(entity, ({ enumName = "" }) => {
        if (lookups === "enum") {
          return `Odata.Models.${enumName}`;
        }
        const isFlags = model.enums.get(enumName)?.isFlags === true;
        return isFlags ? "Collection(Edm.String)" : "Edm.String";
      }),
    ),
    `        </Schema>`,
    `    </edmx:DataServices>`,
    `</edmx:Edmx>`,
  ];
  return `${lines.join("\n")}\n`;
}

function entitySetLines(entity: EntityDefinition): string[] {
  const open = `                <EntitySet EntityType="Odata.Models.${entity.name}" Name="${entity.name}"`;
  if (entity.navigations.length === 0) {
    return [`${open}/>`];
  }
  const bindings = entity.navigations.map(
    ({ name, target }) =>
      `                    <NavigationPropertyBinding Path="${name}" Target="${target}"/>`,
  );
  return [`${open}>`, ...bindings, `                </EntitySet>`];
}

function enumLines(definition: EnumDefinition): string[] {
  const head = `            <EnumType IsFlags="${definition.isFlags}" Name="${definition.name}" UnderlyingType="Edm.Int32">`;
  const members = definition.members.flatMap((member) => {
    const open = `                <Member Name="${member.name}" Value="${member.value}"`;
    return member.display === member.name
      ? [`${open}/>`]
      : [
          `${open}>`,
          `                    <Annotation String="${escapeXml(member.display)}" Term="RESO.OData.Metadata.StandardName"/>`,
          `                </Member>`,
        ];
  });
  return [head, ...members, `            </EnumType>`];
}

type TypeOf = (property: PropertyDefinition) => string;

function entityTypeLines(entity: EntityDefinition, enumType: TypeOf): string[] {
  return [
    `            <EntityType Name="${entity.name}">`,
    `                <Key>`,
    `                    <PropertyRef Name="${entity.key}"/>`,
    `                </Key>`,
    ...entity.properties.flatMap((property) => propertyLines(property, enumType)),
    ...entity.navigations.map(
      ({ name, target }) =>
        `                <NavigationProperty Name="${name}" Partner="${entity.name}" Type="Collection(Odata.Models.${target})"/>`,
    ),
    `            </EntityType>`,
  ];
}

function propertyLines(property: PropertyDefinition, enumType: TypeOf): string[] {
  if (property.type === "Enum") {
    return [
      `                <Property Name="${property.name}" Type="${enumType(property)}">`,
      `                    <Annotation String="${property.enumName}" Term="RESO.OData.Metadata.LookupName"/>`,
      `                </Property>`,
    ];
  }
  const attributes = [
    property.maxLength === undefined ? "" : `MaxLength="${property.maxLength}" `,
    `Name="${property.name}" `,
    property.precision === undefined ? "" : `Precision="${property.precision}" `,
    property.scale === undefined ? "" : `Scale="${property.scale}" `,
    property.type === "GeographyPoint" ? `SRID="3956" ` : "",
    `Type="Edm.${property.type}"`,
  ];
  return [`                <Property ${attributes.join("")}/>`];
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
}
