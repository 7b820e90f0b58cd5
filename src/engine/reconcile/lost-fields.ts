import type { SideContext } from "./context.ts";

/** What a side had when its records were last agreed, and has no longer. */
export interface LostFields {
  /** Fields that key its records. */
  readonly keys: readonly string[];
  /** Others that were shared, and that no other field of the side stands for by now. */
  readonly fields: readonly string[];
}

/** `state` is that of the side's `walk` checkpoint. */
export function lostFields(
  state: Readonly<Record<string, unknown>>,
  { schema, settings }: SideContext,
): LostFields {
  const isLost = (name: string): boolean => !schema.fields.some((field) => field.name === name);
  const stands = (shared: string): boolean =>
    settings?.fields?.some(([name, own]) => name === shared && !isLost(own)) === true;
  const keys = listIn(state["key"]).map(String).filter(isLost);
  const fields = listIn(state["fields"]).flatMap((pair) => {
    const [shared, own] = listIn(pair).map(String);
    if (shared === undefined || own === undefined) return [];
    return isLost(own) && !keys.includes(own) && !stands(shared) ? [own] : [];
  });
  return { keys, fields };
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
