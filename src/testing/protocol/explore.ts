import { hash } from "node:crypto";
import { type Model, type State, transitions } from "./model.ts";

/** What must hold of a state; the text says what does not. */
export interface Invariant {
  readonly name: string;
  readonly broken: (model: Model, state: State) => string | undefined;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** The shortest way to the first state that breaks an invariant, step by step. */
  readonly broken?: { readonly invariant: string; readonly text: string; readonly way: string[] };
}

/** How far an exploration is, for whoever waits. */
export interface Exploring {
  readonly states: number;
  readonly waiting: number;
}

/**
 * Breadth first through every state that can be reached; ends at the first that is wrong. States
 * that were met are known by 128 bits of their text: their texts would not fit into memory.
 */
export function explore(
  model: Model,
  invariants: readonly Invariant[],
  tell: (exploring: Exploring) => void = () => undefined,
): Explored {
  const met = createMet();
  met.add(fingerprint(model.start), -1, "start");
  let layer: readonly (readonly [number, State])[] = [[0, model.start]];
  let steps = 0;
  while (layer.length > 0) {
    tell({ states: met.size(), waiting: layer.length });
    const next: (readonly [number, State])[] = [];
    for (const [at, state] of layer) {
      for (const { name, broken } of invariants) {
        const wrong = broken(model, state);
        if (wrong === undefined) continue;
        const found = { invariant: name, text: wrong, way: met.wayTo(at) };
        return { states: met.size(), transitions: steps, broken: found };
      }
      for (const { name, state: reached } of transitions(model, state)) {
        steps += 1;
        const place = met.add(fingerprint(reached), at, name);
        if (place !== undefined) next.push([place, reached]);
      }
    }
    layer = next;
  }
  return { states: met.size(), transitions: steps };
}

const fingerprint = (state: State): string => hash("md5", JSON.stringify(state), "base64");

interface Met {
  /** The place of a state that is met for the first time. */
  add(fingerprint: string, from: number, step: string): number | undefined;
  size(): number;
  wayTo(place: number): string[];
}

function createMet(): Met {
  const known = new Set<string>();
  const cameFrom: number[] = [];
  const steps: string[] = [];
  return {
    add(key, from, step) {
      if (known.has(key)) return undefined;
      known.add(key);
      steps.push(step);
      return cameFrom.push(from) - 1;
    },
    size: () => known.size,
    wayTo(place) {
      const way: string[] = [];
      for (let at = place; at >= 0; at = cameFrom[at] ?? -1) way.unshift(steps[at] ?? "?");
      return way;
    },
  };
}

/** Nothing but runs from here on, none of which fails; gives the state and what was written. */
function quietRun(model: Model, state: State): { readonly state: State; readonly writes: number } {
  let at = state;
  let writes = 0;
  do {
    const calm = { ...at, left: { edits: 0, deletes: 0, crashes: 0, losses: 0 } };
    const [only] = transitions(model, calm);
    if (only === undefined) break;
    at = only.state;
    if (/^(create|update|delete)/.test(only.name)) writes += 1;
  } while (at.run !== null);
  return { state: at, writes };
}

const RUNS_MAX = 4;

/** From here, were all to fall quiet: what is wrong in the end. */
function settledFrom(
  model: Model,
  state: State,
): { readonly state: State; readonly quiet: boolean } {
  let at = state;
  for (let count = 0; count < RUNS_MAX; count += 1) {
    const { state: after, writes } = quietRun(model, at);
    at = after;
    if (writes === 0 && count > 0) return { state: at, quiet: true };
  }
  return { state: at, quiet: quietRun(model, at).writes === 0 };
}

/** All that must hold. The first is of every state, the others of what each leads to. */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: "an agreed value was written by somebody",
    broken: (_model, { links, next }) => {
      for (const link of links) {
        for (const value of link?.agreed.slice(1) ?? []) {
          if (value == null || Number(String(value).slice(1)) < next) continue;
          return `${String(value)} is agreed, which nobody wrote`;
        }
      }
      return undefined;
    },
  },
  {
    name: "when all falls quiet, all sides agree, nothing is left to do, and nothing is lost",
    broken: (model, state) => {
      if (state.run !== null) return undefined;
      const { state: end, quiet } = settledFrom(model, state);
      if (!quiet) return `${RUNS_MAX} quiet runs still write`;
      return disagreement(model, end) ?? lostValue(end);
    },
  },
];

function disagreement(model: Model, { rows, links }: State): string | undefined {
  const { keys, sides, fields } = model.protocol;
  for (const [at, key] of keys.entries()) {
    const link = links[at];
    for (const [on, side] of sides.entries()) {
      const row = rows[at]?.[on] ?? null;
      if (link == null && row !== null) return `${key} on ${side} is not linked`;
      if (link != null && row === null && !isFrozen(model, rows[at] ?? [])) {
        return `${key} is missing on ${side}`;
      }
    }
    const there = (rows[at] ?? []).filter((row) => row !== null);
    for (const [index, field] of fields.entries()) {
      const values = new Set(there.map((row) => row[index + 1]));
      if (values.size > 1 && !mayDiffer(model)) return `${key}.${field} differs between sides`;
    }
  }
  return undefined;
}

/** Without a policy that decides, a conflict waits. */
const mayDiffer = ({ protocol }: Model): boolean =>
  protocol.policies.length === 0 || protocol.deletes.editAgainstDelete === "review";

const isFrozen = ({ protocol }: Model, rows: readonly unknown[]): boolean =>
  (protocol.deletes.editAgainstDelete === "review" && rows.some((row) => row !== null)) ||
  protocol.deletes.propagate === "keep";

function lostValue({ rows, next, excused }: State): string | undefined {
  const standing = new Set(rows.flat().flatMap((row) => row ?? []));
  for (let number = 1; number < next; number += 1) {
    const value = `v${number}`;
    if (!standing.has(value) && !excused.includes(value)) return `${value} is lost without a trace`;
  }
  return undefined;
}
