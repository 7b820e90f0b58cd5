/** A member of a JSON object: its name, and where its value stands in the text. */
export interface JsonMember {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What stands around the members of an object. */
export interface JsonLayout {
  readonly open: string;
  readonly between: string;
  readonly colon: string;
  readonly close: string;
}

export interface JsonMembers {
  readonly members: readonly JsonMember[];
  /** Where the last value ends, or a first one would stand. */
  readonly end: number;
  readonly layout: JsonLayout;
}

/** The members of a JSON object; the text is known to be one. */
export function jsonMembers(text: string): JsonMembers {
  const open = afterSpace(text, text.indexOf("{") + 1);
  const members: JsonMember[] = [];
  const layout = { open: "{", between: ",", colon: ":", close: "}" };
  let at = open;
  let end = open;
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = afterSpace(text, text.indexOf(":", nameEnd) + 1);
    if (members.length === 0) layout.open = text.slice(text.indexOf("{"), at);
    if (members.length === 1) layout.between = text.slice(end, at);
    layout.colon = text.slice(nameEnd, start);
    end = endOfValue(text, start);
    members.push({ name, start, end });
    const next = afterSpace(text, end);
    at = text[next] === "," ? afterSpace(text, next + 1) : text.length;
  }
  if (members.length > 0) layout.close = text.slice(end).trimEnd();
  return { members, end, layout };
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (depth === 0 && /[\s,}\]]/.test(character)) return at;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  return at;
}
