/** The values of an enumeration, as payloads may write them. */
export interface Lookup {
  /** Name of the lookup. */
  readonly name: string;
  /** Readable form by every known form: member names and display names. */
  readonly displays: ReadonlyMap<string, string>;
  /** Greatest number of commas in one known form; above 0 a joined text is matched greedily. */
  readonly commas: number;
}

/** One member of an enumeration; `display` equals `name` where the system gives no other. */
export interface LookupMember {
  readonly name: string;
  readonly display: string;
}

/**
 * A lookup of these members. Where one member's display name is another's member name, a text is
 * taken as the member name unless `prefer` says that payloads hold display names.
 */
export function createLookup(
  name: string,
  members: readonly LookupMember[],
  prefer: "name" | "display" = "name",
): Lookup {
  const displays = new Map<string, string>();
  const byDisplay = (): void => {
    for (const member of members) displays.set(member.display, member.display);
  };
  // What is set last wins.
  if (prefer === "name") byDisplay();
  for (const member of members) displays.set(member.name, member.display);
  if (prefer === "display") byDisplay();
  let commas = 0;
  for (const form of displays.keys()) commas = Math.max(commas, form.split(",").length - 1);
  return { name, displays, commas };
}

/** The readable form; a value that the lookup does not know stays as it came. */
export function displayOf(lookup: Lookup, text: string): string {
  return lookup.displays.get(text) ?? text;
}

/**
 * Takes a comma-joined text apart. Where known forms hold commas themselves, the longest known
 * form at each place wins; unknown parts are kept without the blanks around them.
 */
export function splitJoined(lookup: Lookup, text: string): readonly string[] {
  if (text.trim() === "") return [];
  const parts = text.split(",");
  const found: string[] = [];
  for (let at = 0; at < parts.length; ) {
    let length = Math.min(lookup.commas + 1, parts.length - at);
    let form = known(lookup, parts, at, length);
    while (form === undefined && length > 1) form = known(lookup, parts, at, --length);
    found.push(form ?? (parts[at] ?? "").trim());
    at += length;
  }
  return found;
}

function known(
  lookup: Lookup,
  parts: readonly string[],
  at: number,
  length: number,
): string | undefined {
  const joined = length === 1 ? (parts[at] ?? "") : parts.slice(at, at + length).join(",");
  return lookup.displays.get(joined) ?? lookup.displays.get(joined.trim());
}
