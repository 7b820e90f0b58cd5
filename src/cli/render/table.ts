import { type Style, visibleWidth } from "./style.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Aligned columns two blanks apart, with a dim header; an empty table gives no lines. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): readonly string[] {
  if (rows.length === 0) return [];
  const widths = columns.map((column, index) =>
    Math.max(visibleWidth(column.title), ...rows.map((row) => visibleWidth(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
      .join("  ")
      .trimEnd();
  return [style.dim(line(columns.map(({ title }) => title))), ...rows.map(line)];
}

export function pad(text: string, width: number, align: "left" | "right"): string {
  const blanks = " ".repeat(Math.max(0, width - visibleWidth(text)));
  return align === "right" ? blanks + text : text + blanks;
}

/** Commands, two blanks in, and beside them what each does. */
export function commandLines(
  commands: readonly (readonly [command: string, does: string])[],
): readonly string[] {
  const width = Math.max(0, ...commands.map(([command]) => visibleWidth(command)));
  return indent(commands.map(([command, does]) => `${pad(command, width, "left")}  ${does}`));
}

/** Every line two blanks in. */
export function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
