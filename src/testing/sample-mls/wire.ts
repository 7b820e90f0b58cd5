import type { EnumDefinition, PropertyDefinition, Value } from "./model.ts";
import { normalizeDecimal } from "./numbers.ts";
import type { SampleData } from "./options.ts";
import { formatTimestamp, isDate, parseTimestamp } from "./timestamps.ts";

type Enums = ReadonlyMap<string, EnumDefinition>;

/** How enum values are written. */
export type LookupForm = "display" | "member";

/** Turns values of the store into what is sent, and given values into those of the store. */
export class Wire {
  readonly #enums: Enums;
  readonly #displays: Map<string, ReadonlyMap<string, string>> = new Map();

  readonly #style: SampleData["lookupStyle"];

  constructor(enums: Enums, style: SampleData["lookupStyle"]) {
    this.#enums = enums;
    this.#style = style;
    for (const { name, members } of enums.values()) {
      this.#displays.set(name, new Map(members.map((member) => [member.name, member.display])));
    }
  }

  /** The plain value a client should end up with; Decimal and Int64 stay texts. */
  plain(property: PropertyDefinition, value: Value, lookups: LookupForm): Value {
    if (property.type !== "Enum" || typeof value !== "string" || lookups === "member") {
      return value;
    }
    const displays = this.#displays.get(property.enumName ?? "");
    return value
      .split(",")
      .map((name) => displays?.get(name) ?? name)
      .join(",");
  }

  /** Writer of the JSON text of a property's values, which are not null. */
  encoder(property: PropertyDefinition, lookups: LookupForm): (value: Value) => string {
    switch (property.type) {
      case "Int32":
      case "Int64":
      case "Decimal":
      case "Boolean":
        return String;
      case "Date":
      case "DateTimeOffset":
        return (value) => `"${value as string}"`;
      case "Enum": {
        const isList =
          this.#style === "text" && this.#enums.get(property.enumName ?? "")?.isFlags === true;
        return remember((value) => {
          const plain = this.plain(property, value, lookups);
          return JSON.stringify(isList ? String(plain).split(",") : plain);
        });
      }
      default:
        return (value) => JSON.stringify(value);
    }
  }

  /** Checks a value given by a test or a person and brings it to the form of the store. */
  parse(property: PropertyDefinition, given: unknown): Value {
    const value = given === null ? null : this.#parsePresent(property, given);
    if (value === undefined) {
      throw new TypeError(
        `Field ${property.name} is ${JSON.stringify(given)}: expected Edm.${property.type}.`,
      );
    }
    return value;
  }

  #parsePresent(property: PropertyDefinition, given: unknown): Value | undefined {
    switch (property.type) {
      case "Int32":
        return Number.isInteger(given) ? (given as number) : undefined;
      case "Int64":
        return /^-?\d+$/.test(String(given)) ? String(given) : undefined;
      case "Decimal":
        return normalizeDecimal(given as string | number, property.scale ?? 0);
      case "Boolean":
        return typeof given === "boolean" ? given : undefined;
      case "Date":
        return isDate(String(given)) ? String(given) : undefined;
      case "DateTimeOffset": {
        const micros = parseTimestamp(String(given));
        return micros === undefined ? undefined : formatTimestamp(micros);
      }
      case "Enum":
        return this.#parseEnum(property.enumName ?? "", String(given));
      case "GeographyPoint":
        return given as Value;
      default:
        return typeof given === "string" ? given : undefined;
    }
  }

  /** Accepts member names and display names. */
  #parseEnum(enumName: string, given: string): string | undefined {
    const definition = this.#enums.get(enumName);
    const names = given
      .split(",")
      .map((text) =>
        definition?.members.find(({ name, display }) => [name, display].includes(text)),
      )
      .map((member) => member?.name);
    const isAllowed = names.length === 1 || definition?.isFlags === true;
    return isAllowed && !names.includes(undefined) ? names.join(",") : undefined;
  }
}

const REMEMBERED_MAX = 10_000;

/** Enum values repeat a lot; looking one up is cheaper than splitting and joining its names. */
function remember(encode: (value: Value) => string): (value: Value) => string {
  const held = new Map<Value, string>();
  return (value) => {
    const known = held.get(value);
    if (known !== undefined) {
      return known;
    }
    const text = encode(value);
    if (held.size < REMEMBERED_MAX) {
      held.set(value, text);
    }
    return text;
  };
}
