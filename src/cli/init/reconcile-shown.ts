import { relative } from "node:path";
import type { Look } from "../render/look.ts";
import { indent, table } from "../render/table.ts";
import type { ProposedFile } from "./reconcile.ts";
import { matchInWords } from "./reconcile-yaml.ts";

/** What was found out, and what to do next. */
export function proposalLines(
  { path, sync, proposal }: ProposedFile,
  { style }: Look,
  directory: string,
): readonly string[] {
  const file = relative(directory, path);
  const { first, others, match, fields, leftOut } = proposal;
  const columns = [
    { title: "shared" },
    { title: "type" },
    { title: first.name },
    ...others.map(({ side }) => ({ title: side.name })),
    { title: "the same in", align: "right" as const },
  ];
  const rows = fields.map(({ name, type }) => {
    const seen = others.flatMap((pair) => pair.fields.filter(({ left }) => left === name));
    const same = seen.map(({ same: count, compared }) => `${count} of ${compared}`);
    return [
      name,
      type,
      name,
      ...others.map(({ key, fields: own }) => {
        const matched = key.pairs.find(({ left }) => left === name);
        if (matched !== undefined) return matched.right;
        const found = own.find(({ left }) => left === name);
        if (found === undefined) return "-";
        return found.scale === undefined ? found.right : `${found.right} × ${found.scale}`;
      }),
      match.includes(name) ? "matched by" : same.join(", "),
    ];
  });
  const parts = [first, ...others.map(({ side }) => side)].filter(({ sample }) => sample.isPart);
  return [
    `Records are matched by ${match.map((name) => style.bold(name)).join(" and ")}:`,
    ...others.map(({ side, key }) => `  ${matchInWords(first.name, side.name, key)}`),
    ...parts.map(
      ({ name, sample }) => `  of ${name} the first ${sample.rows.length} were looked at`,
    ),
    "",
    ...indent(table(columns, rows, style)),
    ...leftOut.flatMap(({ side, fields: names }) =>
      names.length === 0 ? [] : [`  not shared, of ${side}: ${names.join(", ")}`],
    ),
    "",
    `Wrote ${path}`,
    "",
    "Next:",
    `  read it through: ${file}`,
    `  lockstep ${file === "lockstep.yaml" ? "" : `-c ${file} `}plan ${sync}    shows what each side would get, and why`,
  ];
}
