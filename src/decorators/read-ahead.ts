import type { Connector, Page } from "../ports/connector.ts";

/**
 * A connector that fetches the next page of a walk or of changes while the present one is being
 * written, and never more than that one. A failure of the next page is told when it is asked for,
 * so that the page before it is written first; a reader that stops ends the request under way.
 */
export function readAhead(connector: Connector): Connector {
  return {
    ...connector,
    read: (request, signal) =>
      request.kind === "walk" || request.kind === "changes"
        ? pagesAhead((own) => connector.read(request, own), signal)
        : connector.read(request, signal),
  };
}

async function* pagesAhead(
  read: (signal: AbortSignal) => AsyncIterable<Page>,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const stopped = new AbortController();
  const pages = read(AbortSignal.any([signal, stopped.signal]))[Symbol.asyncIterator]();
  let next = pages.next();
  try {
    for (;;) {
      const step = await next;
      if (step.done === true) return;
      // A page that came before the abort is not given after it.
      signal.throwIfAborted();
      next = pages.next();
      // Told by the `await` above, when the reader comes for it.
      next.catch(() => undefined);
      yield step.value;
    }
  } finally {
    stopped.abort();
    await next.catch(() => undefined);
    await pages.return?.();
  }
}
