import type { ServedSettings } from "./settings.ts";
import type { ServedSet } from "./time-feed.ts";

/** Where and how a stream is given in the server's own order; nothing where the client orders. */
export function servedSet(
  served: ServedSettings | undefined,
  stream: string,
): ServedSet | undefined {
  if (served === undefined || served.streams?.includes(stream) === false) return undefined;
  const { order, path = "", pageSize: size, takesOrder } = served;
  return { order, set: stream + path, size, takesOrder };
}
