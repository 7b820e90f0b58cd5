import type { SideDrift } from "../../engine/reconcile/side-drift.ts";
import type { SidesVerifyJson } from "../json.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { showBeside } from "./reasons.ts";
import { haltLines } from "./sides-plan.ts";
import { sidesRunLines } from "./sides-run.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";

/** Whether all sides agree; what differs, by side and field, with samples. */
export function sidesVerifyLines(result: SidesVerifyJson, look: Look): readonly string[] {
  const { style } = look;
  const { sync, isEqual, records, compared, sides, repair } = result;
  const all =
    compared === records
      ? "every record"
      : `${formatCount(compared)} of ${formatCount(records)} records`;
  const read = sides.reduce((sum, side) => sum + side.read, 0);
  const unread = sides.reduce((sum, side) => sum + side.compared, 0) - read;
  const by =
    unread === 0 ? "" : `, ${formatCount(unread)} by digest and ${formatCount(read)} by reading`;
  const how = `(${all}, ${plural(sides.length, "side")}${by})`;
  const unreadable = sides.reduce((sum, side) => sum + side.unreadable, 0);
  const drifted = sides.filter((side) => side.missing + side.unreadable + total(side.fields) > 0);
  return [
    ...(repair === undefined ? [] : [...sidesRunLines(repair, look), ""]),
    isEqual
      ? `${style.green("Equal:")} every side of ${sync} has what is agreed ${how}.`
      : `${style.red("Not equal:")} ${sync} differs from what is agreed ${how}.`,
    ...haltLines(result, look),
    "",
    ...table(
      [
        { title: "side" },
        { title: "compared", align: "right" },
        ...(unread === 0 ? [] : [{ title: "of them read", align: "right" as const }]),
        { title: "missing", align: "right" },
        ...(unreadable === 0 ? [] : [{ title: "not understood", align: "right" as const }]),
        { title: "different values", align: "right" },
        { title: "kept in its own way", align: "right" },
      ],
      sides.map((side) => [
        style.bold(cleanText(side.side)),
        formatCount(side.compared),
        ...(unread === 0 ? [] : [formatCount(side.read)]),
        formatCount(side.missing),
        ...(unreadable === 0 ? [] : [formatCount(side.unreadable)]),
        formatCount(total(side.fields)),
        formatCount(total(side.lossy)),
      ]),
      style,
    ),
    ...drifted.flatMap((side) => ["", ...driftLines(side, look)]),
    ...(isEqual || repair !== undefined
      ? []
      : [
          "",
          `${style.bold("What to do:")} lockstep plan ${sync} shows what a run would make of it; lockstep verify ${sync} --repair runs it.`,
        ]),
  ];
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function driftLines(drift: SideDrift, look: Look): readonly string[] {
  const { side, missing, unreadable, fields, samples } = drift;
  const { style } = look;
  const counts = Object.entries(fields).map(
    ([field, count]) => `${cleanText(field)} ${formatCount(count)}`,
  );
  const what = [
    ...(missing === 0 ? [] : [`${formatCount(missing)} missing`]),
    ...(unreadable === 0 ? [] : [`${formatCount(unreadable)} not understood`]),
    ...counts,
  ];
  const rows = samples.map(({ name, field, agreed, found, unreadable: isUnreadable }) => {
    const trouble = isUnreadable === true ? "not understood" : "missing";
    const bold = style.bold(cleanText(name));
    if (field === undefined) return [bold, style.red(trouble), "", ""];
    if (isUnreadable === true) return [bold, cleanText(field), style.red(trouble), ""];
    const [has, wanted] = showBeside([found, agreed]);
    return [bold, cleanText(field), has ?? "", style.dim(`agreed ${wanted}`)];
  });
  const titles = ["", "", "", ""].map((title) => ({ title }));
  return [`${cleanText(side)}: ${what.join(", ")}`, ...indent(table(titles, rows, style).slice(1))];
}
