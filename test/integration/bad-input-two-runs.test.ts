import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
});
after(async () => {
  await mls.close();
  place.remove();
});

/** The pages of a full copy after the first; no probe asks so. */
const LATER_PAGE = "?$filter=ListingKeyNumeric gt";

test("two runs of one sync at once: the second is refused, the first goes on", async () => {
  const relay = await startHoldingRelay(mls.url, LATER_PAGE);
  try {
    place.configure({ url: relay.url });
    const first = place.start(["run"]);
    await relay.holding;
    const second = await place.lockstep(["run"]);
    assert.equal(
      second.told.replace(/process \d+ on [^,]+, [\w-]+/, "WHO"),
      `Failed: The sync "listings" is being run by "WHO" until TIME at least.
What to do: Wait for it; \`lockstep status\` shows it. A dead run's lease ends by itself.
Code: LEASE_HELD`,
    );
    assert.match(second.told, new RegExp(`"process ${first.child.pid} on `));
    assert.equal(second.exit, 1);
    const status = await place.lockstep(["status"]);
    assert.match(status.out, new RegExp(`running in process ${first.child.pid} on .*; its lease`));
    relay.letGo();
    const ended = await first.ended;
    assert.equal(ended.told, "Done: listings is up to date (full; N s).");
    assert.equal(ended.exit, 0);
    await place.prove();
  } finally {
    await relay.close();
    place.configure();
  }
});

for (const [signal, exit] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`${signal} stops a copy at a safe point, and the next run goes on from there`, async () => {
    const own = createPlace(mls);
    try {
      mls.control.resetStats();
      mls.control.fail({ kind: "hang", match: LATER_PAGE, after: 1 });
      const { child, ended } = own.start(["run"]);
      while (mls.control.stats().byStatus["hang"] === undefined) await nextTurn();
      child.kill(signal);
      const stopped = await ended;
      assert.equal(
        stopped.told,
        "Stopped: listings stopped at a safe point (full; N s); the next run goes on from there.",
      );
      assert.match(
        stopped.err,
        /Stopping at the next safe point; press Ctrl-C again to stop at once\./,
      );
      assert.match(stopped.out, /lockstep run listings {2}goes on where this run stopped/);
      assert.equal(stopped.exit, exit);
      const { runs } = await own.heal();
      assert.match(runs[0]?.streams[0]?.notes.join() ?? "", /^Resumed after 40 records\b/);
    } finally {
      mls.control.heal();
      own.remove();
    }
  });
}

interface HoldingRelay {
  readonly url: string;
  /** Resolves when the first matching request waits. */
  readonly holding: Promise<void>;
  readonly letGo: () => void;
  close(): Promise<void>;
}

/** A way to a server on which requests whose decoded target has `match` wait to be let go. */
async function startHoldingRelay(target: string, match: string): Promise<HoldingRelay> {
  const hold = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { origin } = new URL(target);
  const server = createServer(async ({ method, url = "", headers }, response) => {
    if (decodeURIComponent(url).includes(match)) {
      arrived.resolve();
      await hold.promise;
    }
    const onward = httpRequest(`${origin}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: target.replace(origin, `http://127.0.0.1:${port}`),
    holding: arrived.promise,
    letGo: () => hold.resolve(),
    async close() {
      hold.resolve();
      server.closeAllConnections();
      server.close();
    },
  };
}
