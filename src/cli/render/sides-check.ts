import type { ReconcileCheck, SharedFieldShape } from "../../engine/reconcile/describe-sync.ts";
import type { ValueType } from "../../model/value.ts";
import type { Look } from "./look.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";

/** What the sides of a sync share, field by field, with each side's own name of it. */
export function sidesCheckLines(check: ReconcileCheck, look: Look): readonly string[] {
  const { style } = look;
  const { sync, shape, error } = check;
  if (error !== undefined) {
    const { message, hint, code } = error;
    return [
      `${style.red("✘")} ${style.bold(sync)}`,
      ...indent([
        ...message.split("\n").map(cleanText),
        ...(hint === undefined ? [] : [`${style.bold("What to do:")} ${cleanText(hint)}`]),
        style.dim(`Code: ${code}`),
      ]),
    ];
  }
  if (shape === undefined) {
    return [`${style.bold(sync)}  not checked: a side's system cannot be used yet`];
  }
  return [
    `${style.green("✔")} ${style.bold(sync)}  ${shape.sides.map(({ side }) => cleanText(side)).join(" ↔ ")}, matched by ${shape.match.map(cleanText).join(", ")}`,
    ...indent([
      ...shape.sides.map(({ side, system, stream, key, observe, modifiedAt }) => {
        const read = observe === "whole" ? "read whole" : "read by changes";
        const time = modifiedAt === undefined ? "no time of change" : `time ${modifiedAt}`;
        return cleanText(`${side}: ${system} ${stream}, key ${key.join(", ")}, ${time}, ${read}`);
      }),
      ...shape.sides.flatMap(({ lacks = [] }) =>
        lacks.map((one) => `${style.yellow("!")} ${cleanText(one)}`),
      ),
      "",
      ...table(
        [
          { title: "field" },
          { title: "type" },
          ...shape.sides.map(({ side }) => ({ title: side })),
          { title: "compared" },
          { title: "where sides differ" },
        ],
        shape.fields.map((field) => [
          style.bold(cleanText(field.name)),
          typeInWords(field.type),
          ...shape.sides.map(({ side }) => ownInWords(field, side)),
          comparedInWords(field),
          cleanText(field.policies.join(", then ") || "a person decides"),
        ]),
        style,
      ),
    ]),
  ];
}

function typeInWords(type: ValueType): string {
  if (type.kind === "list") return `${type.ordered ? "list" : "set"} of ${type.of.kind}`;
  return type.kind;
}

/** `stock`, `stock (read)`, `(computed)`, or a dash where the side does not have it. */
function ownInWords({ sides }: SharedFieldShape, side: string): string {
  const own = sides[side];
  if (own === undefined || own.direction === "none") return "—";
  const name = own.field === undefined ? "(computed)" : cleanText(own.field);
  return own.direction === "both" ? name : `${name} (${own.direction})`;
}

function comparedInWords({ compare }: SharedFieldShape): string {
  return Object.entries(compare)
    .map(([name, value]) => (value === true ? name : `${name} ${value}`))
    .join(", ");
}
