import { ERROR_CODES } from "../../model/error-codes.ts";
import type { Halt } from "../../model/parked.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { cleanText } from "./style.ts";
import { indent } from "./table.ts";
import { formatAge } from "./times.ts";

/** The run that takes up what a halt stopped: what a walk found is settled by its own mode alone. */
export function runAfter(halt: Halt): string {
  const { sync, stream, details } = halt;
  if (isOfSides(halt)) return `lockstep run ${sync}`;
  if (details["lane"] === "media") return `lockstep run ${sync} --media`;
  const modes: Readonly<Record<string, string>> = { walk: " --full", sweep: " --sweep" };
  return `lockstep run ${sync}${modes[String(details["lane"])] ?? ""} --stream ${stream}`;
}

const OF_SIDES = [
  "GUARD_EMPTY_SIDE",
  "GUARD_MASS_CHANGE",
  "GUARD_LOST_KEY",
  "GUARD_LOST_FIELD",
  "GUARD_SETTINGS_CHANGED",
  "GUARD_UNDONE",
];

/** Halts of copies that can be released tell the lane that they stopped. */
function isOfSides({ code, details }: Halt): boolean {
  return OF_SIDES.includes(code) || (code === "GUARD_MASS_DELETE" && details["lane"] === undefined);
}

/** Deletions can be released; a schema or records that do not fit must be put right. */
function wayOn(halt: Halt): string {
  if (halt.details["lane"] !== undefined || (isOfSides(halt) && halt.code !== "GUARD_LOST_KEY")) {
    return `If that is right: lockstep release ${halt.id} --by YOUR-NAME, then ${runAfter(halt)}`;
  }
  const known = halt.code in ERROR_CODES;
  const remedy = known ? ERROR_CODES[halt.code as keyof typeof ERROR_CODES].remedy : "";
  return `${remedy || "Correct the cause."} Then ${runAfter(halt)}`;
}

/** Halts that wait, each with the way on. */
export function haltLines(halts: readonly Halt[], look: Look): readonly string[] {
  const { style } = look;
  return halts.flatMap((halt) => {
    const when = look.times.full(halt.at);
    if (halt.releasedAt !== undefined) {
      const by = cleanText(halt.releasedBy ?? "someone");
      return [
        "",
        `Halt ${halt.id}  ${haltPlace(halt)}, ${when}: released by ${by} ${formatAge(halt.releasedAt, look.now)}`,
        `  ${cleanText(halt.message)}`,
      ];
    }
    return [
      "",
      `${style.red(`Halt ${halt.id}`)}  ${haltPlace(halt)}, ${when}`,
      ...indent([cleanText(halt.message), ...detailLines(halt.details), wayOn(halt)]),
    ];
  });
}

/** The facts behind a halt; lists are cut to what a person can judge by. */
function detailLines(details: Readonly<Record<string, unknown>>): readonly string[] {
  const told = Object.entries(details).filter(([name]) => name !== "walkId" && name !== "lane");
  return told.map(([name, value]) => {
    const list = Array.isArray(value) ? value : [value];
    const shown = list
      .slice(0, 8)
      .map((item) =>
        typeof item === "number"
          ? formatCount(item)
          : String(typeof item === "object" ? JSON.stringify(item) : item),
      );
    const rest = list.length - shown.length;
    return cleanText(
      `${name}: ${shown.join(", ")}${rest > 0 ? ` and ${plural(rest, "more", "more")}` : ""}`,
    );
  });
}

/** An undone run holds the whole sync, not a stream or side. */
function haltPlace({ sync, stream }: Halt): string {
  return stream === "" ? sync : `${sync} ${stream}`;
}
