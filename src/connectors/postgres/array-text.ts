/** Items of an array of one dimension as PostgreSQL writes it, or undefined for any other. */
export function parseArray(text: string): readonly (string | null)[] | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  const body = text.slice(1, -1);
  if (body === "") return [];
  const items: (string | null)[] = [];
  ITEM.lastIndex = 0;
  for (let at = 0; at <= body.length; at = ITEM.lastIndex) {
    ITEM.lastIndex = at;
    const match = ITEM.exec(body);
    if (match === null) return undefined;
    const [, quoted, bare] = match;
    if (quoted !== undefined) items.push(quoted.replaceAll(/\\(.)/gs, "$1"));
    else items.push(bare === "NULL" ? null : (bare ?? ""));
    if (ITEM.lastIndex === body.length) return body.endsWith(",") ? undefined : items;
  }
  return undefined;
}

/** A quoted or a bare item, and the comma or the end behind it; a brace is another dimension. */
const ITEM = /(?:"((?:[^"\\]|\\.)*)"|([^",{}]+))(?:,|$)/gsy;

/** The items as PostgreSQL reads an array. */
export function formatArray(items: readonly (string | null)[]): string {
  const written = items.map((item) =>
    item === null ? "NULL" : `"${item.replaceAll(/["\\]/g, "\\$&")}"`,
  );
  return `{${written.join(",")}}`;
}
