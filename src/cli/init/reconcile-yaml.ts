import type { SideFieldInput } from "../../config/reconcile-input.ts";
import type { PairProposal, ReconcileProposal } from "./reconcile-proposal.ts";

export interface WrittenSystems {
  readonly [name: string]: Readonly<Record<string, unknown>>;
}

/** The proposal as a configuration that a person reads through and goes on from. */
export function reconcileYaml(
  sync: string,
  systems: WrittenSystems,
  proposal: ReconcileProposal,
): string {
  const { first, others, match, fields, leftOut } = proposal;
  const sides = [first.name, ...others.map(({ side }) => side.name)];
  return [
    `# Lockstep: ${sides.join(", ")} kept in step.`,
    "# Proposed by `lockstep init reconcile` from the records that stand there now; read it through.",
    `# lockstep plan ${sync}    shows what each side would get, and why; nothing is written`,
    `# lockstep apply ${sync}   does exactly that`,
    "",
    "# Lockstep's own tables: what was agreed, and what each side last said.",
    "home: sqlite:./lockstep.db",
    "",
    "systems:",
    ...Object.entries(systems).map(([name, system]) => `  ${quoted(name)}: ${flow(system)}`),
    "",
    "syncs:",
    `  ${quoted(sync)}:`,
    "    sides:",
    `      ${quoted(first.name)}:`,
    `        system: ${quoted(first.system)}`,
    `        stream: ${quoted(first.stream)}`,
    "        # direction: both       # or read: never written; or write: put right when it drifts",
    '        # where: "stock > 0"     # only these records have a place here',
    "        # remove: delete        # or never, or { mark: { status: Inactive } }",
    ...others.flatMap((pair) => sideLines(pair, proposal)),
    `    # Records are the same one when ${match.length === 1 ? "this is" : "these are"} the same on all sides:`,
    ...others.map(({ side, key }) => `    #   ${matchInWords(first.name, side.name, key)}`),
    `    match: ${flow(match.length === 1 ? match[0] : match)}`,
    "    # What is shared. Types: text, integer, decimal, boolean, date, time, timestamp, double, set, list, json.",
    "    fields:",
    ...fields.map(({ name, type, trim, ignoreCase }) => {
      const compare = { ...(trim ? { trim } : {}), ...(ignoreCase ? { ignoreCase } : {}) };
      const compared = trim || ignoreCase ? { compare } : {};
      return `      ${quoted(name)}: ${flow({ type, ...compared })}`;
    }),
    ...leftOut.flatMap(({ side, fields: names }) =>
      names.length === 0 ? [] : [`    # Not shared, of ${side}: ${names.join(", ")}`],
    ),
    "    # Where several sides changed one field since they last agreed. review: a person decides.",
    "    policy: [review]",
    `    # policy: [latest-wins, review]          # or { prefer: ${quoted(first.name)} }, { priority: [${sides.map(quoted).join(", ")}] }, merge`,
    "    # deletes: { againstEdit: edit-wins }    # or delete-wins, review",
    "    # guard: { deleteShare: 10%, changeShare: 50% }   # stop and ask a person before more than that",
    "",
  ].join("\n");
}

function sideLines(pair: PairProposal, { fields }: ReconcileProposal): readonly string[] {
  const { side, key } = pair;
  const own = new Set(side.sample.fields.map(({ name }) => name));
  const mapped = fields.flatMap(({ name }): [string, SideFieldInput | null, string][] => {
    const matched = key.pairs.find(({ left }) => left === name);
    if (matched !== undefined) return name === matched.right ? [] : [[name, matched.right, ""]];
    const found = pair.fields.find(({ left }) => left === name);
    if (found === undefined) return own.has(name) ? [[name, null, "    # another thing here"]] : [];
    const seen = `    # the same in ${found.same} of ${found.compared} records`;
    if (found.scale !== undefined) {
      const field = found.right === name ? {} : { field: found.right };
      return [[name, { ...field, scale: found.scale }, seen]];
    }
    return found.right === name ? [] : [[name, found.right, seen]];
  });
  return [
    `      ${quoted(side.name)}:`,
    `        system: ${quoted(side.system)}`,
    `        stream: ${quoted(side.stream)}`,
    ...(mapped.length === 0
      ? []
      : [
          "        fields:               # what is shared: what it is called here",
          ...mapped.map(
            ([name, value, seen]) =>
              `          ${quoted(name)}: ${typeof value === "string" ? quoted(value) : flow(value)}${seen}`,
          ),
        ]),
  ];
}

export function matchInWords(first: string, other: string, key: PairProposal["key"]): string {
  const { matched, onlyLeft, onlyRight, ambiguous } = key;
  const twice =
    ambiguous === 0
      ? ""
      : `, ${ambiguous} ${ambiguous === 1 ? "stands" : "stand"} more than once and would be left out`;
  return `${matched} on both sides, ${onlyLeft} only in ${first}, ${onlyRight} only in ${other}${twice}`;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_.:/-]*$/;
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A text as YAML has it: plain where it can be taken for nothing else. */
function quoted(text: string): string {
  const isPlain = PLAIN.test(text) && !WORDS.test(text) && !text.endsWith(":");
  return isPlain || /^\.{1,2}\/[A-Za-z0-9_./-]+$/.test(text) ? text : JSON.stringify(text);
}

function flow(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([name, one]) => `${quoted(name)}: ${flow(one)}`);
  return `{ ${parts.join(", ")} }`;
}
