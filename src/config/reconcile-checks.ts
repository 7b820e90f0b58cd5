import type { ConfigPath, ConfigProblem } from "./config-problem.ts";
import { showValue } from "./config-problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { compileRecordExpression } from "./expressions.ts";
import type { FieldTypeInput, ReconcileInput, SideInput } from "./reconcile-input.ts";

/**
 * What is wrong with a sync of sides though each of its settings is in order: what would do nothing,
 * or another thing than was meant, and can be told before any side is reached.
 */
export function reconcileProblems(
  input: ReconcileInput,
  path: ConfigPath,
): readonly ConfigProblem[] {
  return [
    ...sideCountProblems(input, path),
    ...hubProblems(input, path),
    ...twinProblems(input, path),
    ...unheardProblems(input, path),
    ...compareProblems(input, path),
  ];
}

function sideCountProblems({ sides }: ReconcileInput, path: ConfigPath): readonly ConfigProblem[] {
  if (Object.keys(sides).length >= 2) return [];
  return [{ path: [...path, "sides"], message: "has fewer than two sides" }];
}

/** A hub is a side, and one that is heard. */
function hubProblems({ hub, sides }: ReconcileInput, path: ConfigPath): readonly ConfigProblem[] {
  if (hub === undefined) return [];
  const names = Object.keys(sides);
  const at = [...path, "hub"];
  if (!names.includes(hub)) {
    const message = `is ${showValue(hub)}, which is no side${didYouMean(hub, names)}; allowed: ${names.join(", ")}`;
    return [{ path: at, message }];
  }
  if (sides[hub]?.direction !== "write") return [];
  const message = `is ${showValue(hub)}, which has no say: its direction is write; allowed: a side that is read`;
  return [{ path: at, message }];
}

/** What one side is told would be the other's own record, and be taken for what it says. */
function twinProblems({ sides }: ReconcileInput, path: ConfigPath): readonly ConfigProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(sides).flatMap(([name, { system, stream, filter }]) => {
    const place = JSON.stringify([system, stream, filter]);
    const twin = seen.get(place);
    seen.set(place, name);
    if (twin === undefined) return [];
    const message = `is ${showValue(stream)} of ${showValue(system)}, as the side ${showValue(twin)} is; expected another stream, or another filter`;
    return [{ path: [...path, "sides", name, "stream"], message }];
  });
}

/** Without a side that is read there is nothing to tell the others. */
function unheardProblems({ sides }: ReconcileInput, path: ConfigPath): readonly ConfigProblem[] {
  const isHeard = Object.values(sides).some(
    ({ direction, fields }) =>
      direction !== "write" ||
      Object.values(fields ?? {}).some(
        (own) =>
          typeof own === "object" &&
          own !== null &&
          (own.direction ??
            (own.constant === undefined && own.computed === undefined ? "write" : "read")) !==
            "write",
      ),
  );
  if (isHeard) return [];
  const message = "are all only written to (direction write), so that nothing is ever read";
  return [{ path: [...path, "sides"], message }];
}

const TEXTS: readonly FieldTypeInput[] = ["text", "set", "list"];

/** The types whose values a comparison is about; of others it would change nothing. */
const COMPARED: Readonly<Record<string, readonly FieldTypeInput[]>> = {
  trim: TEXTS,
  ignoreCase: TEXTS,
  normalize: TEXTS,
  blankIsNull: TEXTS,
  scale: ["decimal"],
  fraction: ["timestamp", "time"],
};

function compareProblems({ fields }: ReconcileInput, path: ConfigPath): readonly ConfigProblem[] {
  return Object.entries(fields ?? {}).flatMap(([name, given]) => {
    const { type, compare = {} } = given ?? {};
    if (type === undefined) return [];
    return Object.entries(compare).flatMap(([option, value]): ConfigProblem[] => {
      const types = COMPARED[option];
      if (types === undefined || types.includes(type) || value === undefined || value === false)
        return [];
      const message = `is for ${types.join(", ")}, and the field's type is ${type}`;
      return [{ path: [...path, "fields", name, "compare", option], message, atKey: true }];
    });
  });
}

/** What a side's condition and its `leaving` say. */
export function placeProblems(
  { where, leaving }: SideInput,
  { fields }: ReconcileInput,
  path: ConfigPath,
): readonly ConfigProblem[] {
  if (where === undefined && leaving === "remove") {
    const message = "is remove, and without `where` every record has its place here";
    return [{ path: [...path, "leaving"], message }];
  }
  const names = Object.keys(fields ?? {});
  // A condition is over shared fields, which are known where they are declared.
  if (typeof where !== "string" || names.length === 0) return [];
  const types = new Map(names.map((name) => [name, { kind: "text" }] as const));
  const compiled = compileRecordExpression(where, "truth", types);
  return compiled.kind === "compiled"
    ? []
    : [{ path: [...path, "where"], message: compiled.message }];
}
