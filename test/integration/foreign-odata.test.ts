import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { RequestedMode, SyncRunResult } from "../../src/engine/results.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { type ForeignService, startForeignService } from "./foreign-odata.ts";

/* The read path against an OData server that is not ours, its values compared row by row. */

const { signal } = new AbortController();
const NAMES = ["O'Brien & Söhne", "plain", "", "日本語 ☃", "a,b;c", "100% (of) it"];

interface Shop {
  readonly service: ForeignService;
  readonly folder: string;
  run(mode: RequestedMode): Promise<SyncRunResult>;
}

async function createShop(t: TestContext): Promise<Shop> {
  const service = await startForeignService();
  t.after(() => service.close());
  const folder = createTemporaryFolder();
  t.after(() => folder.remove());
  const config = {
    systems: {
      shop: {
        connector: "odata",
        url: service.url,
        pageSize: 25,
        retry: { attempts: 2, maxWaitSeconds: 0.02 },
      },
    },
    syncs: { stock: { replicate: "shop", streams: { Items: null } } },
  };
  writeFileSync(join(folder.path, "lockstep.yaml"), JSON.stringify(config));
  return {
    service,
    folder: folder.path,
    async run(mode) {
      const lockstep = await openLockstep({ directory: folder.path, env: {} });
      try {
        const result = await lockstep.run("stock", { mode }, { signal });
        assert.equal(result.outcome, "done", JSON.stringify(result.runs, null, 1));
        return result;
      } finally {
        await lockstep.close();
      }
    },
  };
}

/** Groups of sixty records share one time, more than fit on a page. */
function fill({ database }: ForeignService, count: number): void {
  const insert = database.prepare("INSERT INTO Items VALUES (?, ?, ?, ?, ?, ?)");
  for (let index = 0; index < count; index += 1) {
    const time = new Date(Date.UTC(2024, 0, 1, 0, Math.floor(index / 60)));
    insert.run(
      index * 7 - 40,
      NAMES[index % NAMES.length] ?? null,
      index % 5 === 0 ? null : index * 1.25,
      index / 3,
      index % 3 === 0 ? null : index % 2,
      time.toISOString(),
    );
  }
}

function edit({ database }: ForeignService, minute: number): void {
  const time = new Date(Date.UTC(2024, 0, 2, 0, minute)).toISOString();
  const update = "UPDATE Items SET Name = Name || ?, Price = ?, ModificationTimestamp = ?";
  database
    .prepare(`${update} WHERE ItemKey % 3 = ?`)
    .run(` ${minute}`, minute + 0.05, time, minute % 3);
  database.prepare("INSERT INTO Items VALUES (?, 'new', 1, 2, 0, ?)").run(10_000 + minute, time);
}

/** Rows with every value as one text, so that types do not matter and values do. */
function rowsOf(database: DatabaseSync): readonly string[] {
  const numbers = ["Price", "Weight"].map((name) => `CAST(${name} AS REAL)`).join(", ");
  return database
    .prepare(
      `SELECT ItemKey, Name, ${numbers}, Sold, replace(ModificationTimestamp, '.000Z', 'Z') AS t FROM Items ORDER BY ItemKey`,
    )
    .all()
    .map((row) => JSON.stringify(Object.values(row)));
}

function prove({ service, folder }: Shop): number {
  const replica = new DatabaseSync(join(folder, "lockstep.db"), { readOnly: true });
  try {
    const rows = rowsOf(replica);
    assert.deepEqual(rows, rowsOf(service.database));
    return rows.length;
  } finally {
    replica.close();
  }
}

test("a foreign OData server is copied, followed and swept, every value equal", async (t) => {
  const shop = await createShop(t);
  fill(shop.service, 400);
  await shop.run("full");
  assert.equal(prove(shop), 400);
  for (let minute = 1; minute <= 4; minute += 1) {
    edit(shop.service, minute);
    const { runs } = await shop.run("incremental");
    assert.ok((runs[0]?.streams[0]?.ledger.updated ?? 0) > 100);
    prove(shop);
  }
  shop.service.database.exec("DELETE FROM Items WHERE ItemKey % 20 = 1");
  const { runs } = await shop.run("sweep");
  assert.ok((runs[0]?.streams[0]?.ledger.deleted ?? 0) > 10);
  prove(shop);
  const quiet = await shop.run("auto");
  assert.deepEqual(quiet.changes, []);
});

test("check tells what a foreign OData server can do", async (t) => {
  const shop = await createShop(t);
  fill(shop.service, 90);
  const lockstep = await openLockstep({ directory: shop.folder, env: {} });
  t.after(() => lockstep.close());
  const text = JSON.stringify(await lockstep.check({ signal }));
  assert.match(text, /order by time and key: yes/);
  assert.match(text, /reading on after \(time, key\): yes/);
  assert.match(text, /`in` lists: no/);
});
