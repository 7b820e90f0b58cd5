import { SyncError } from "../model/sync-error.ts";
import type { Connector } from "../ports/connector.ts";
import { connectorKit } from "../testing/connector-kit.ts";
import { createMemorySubject } from "../testing/memory-subject.ts";
import { createTimeline } from "../testing/simulation/timeline.ts";
import { withRetry } from "./retry.ts";
import { retryPolicy } from "./retry-effort.ts";

const patiently = (connector: Connector): Connector =>
  withRetry(connector, {
    clock: createTimeline(Date.UTC(2026, 0, 1)),
    random: { next: () => 0.5, id: () => "id" },
    policy: retryPolicy(),
    onWait: () => undefined,
  });

/** Every call, and every page at each place in a stream, fails once before it succeeds. */
function failingOnce(connector: Connector): Connector {
  const failed = new Set<string>();
  const fail = (what: string): void => {
    if (failed.has(what)) return;
    failed.add(what);
    throw new SyncError("CONNECTOR_UNAVAILABLE", "The system is in trouble.");
  };
  const call = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    const result = await act();
    fail(what);
    return result;
  };
  return {
    capabilities: connector.capabilities,
    check: (signal) => call("check", () => connector.check(signal)),
    discover: (signal) => call("discover", () => connector.discover(signal)),
    head: (query, signal) => call("head", () => connector.head(query, signal)),
    async *read(request, signal) {
      for await (const page of connector.read(request, signal)) {
        fail(`${request.query.schema.name} ${page.cursor}`);
        yield page;
      }
    },
    partition: (query, count, signal) =>
      call("partition", async () => connector.partition?.(query, count, signal) ?? []),
    sumDigests: (query, bits, signal) =>
      call("digests", async () => connector.sumDigests?.(query, bits, signal) ?? []),
    // A write is not tried again, so it must not fail.
    ...(connector.write && { write: connector.write.bind(connector) }),
    close: () => connector.close(),
  };
}

connectorKit("retry over memory", { create: () => createMemorySubject(patiently) });

connectorKit("retry over a memory system whose every page fails once", {
  create: () => createMemorySubject((connector) => patiently(failingOnce(connector))),
});
