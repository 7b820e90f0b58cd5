import type { StreamSchema } from "../model/schema.ts";
import type { ReplicateContext } from "./context.ts";

const keyOf = (stream: string): string => `schema:${stream}`;

/** Keeps what replicated streams look like, so that status and show need no network. */
export async function rememberSchemas(
  { home, spec }: Pick<ReplicateContext, "home" | "spec">,
  schemas: readonly StreamSchema[],
): Promise<void> {
  const memory = home.memory(spec.name);
  for (const schema of schemas) {
    const text = JSON.stringify(schema);
    if ((await memory.recall(keyOf(schema.name))) !== text)
      await memory.remember(keyOf(schema.name), text);
  }
}

/** The schema as the last run replicated it; undefined before the first. */
export async function recallSchema(
  { home, spec }: Pick<ReplicateContext, "home" | "spec">,
  stream: string,
): Promise<StreamSchema | undefined> {
  const text = await home.memory(spec.name).recall(keyOf(stream));
  return text === undefined ? undefined : (JSON.parse(text) as StreamSchema);
}
