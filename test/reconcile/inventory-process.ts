import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { SampleInventoryOptions } from "../../src/testing/sample-inventory/index.ts";
import type { Asked, Command, Told } from "./inventory-main.ts";
import type { Desk, Item, Items } from "./kill-scene.ts";

/** An inventory's API on loopback in a process of its own, which outlives whoever asks it. */
export interface InventoryProcess {
  readonly url: string;
  readonly desk: Desk;
  /** Ends a process in the midst of its nth write: it is done, and the answer is not heard. */
  ambush(pid: number, nth: number): Promise<void>;
  standDown(): Promise<void>;
  close(): Promise<void>;
}

export async function startInventoryProcess(
  options: SampleInventoryOptions,
): Promise<InventoryProcess> {
  const child = fork(resolve("test/reconcile/inventory-main.ts"), [JSON.stringify(options)]);
  const waiting = new Map<number, (told: Told) => void>();
  const [{ url }] = (await once(child, "message")) as [{ readonly url: string }];
  child.on("message", (told: Told) => {
    waiting.get(told.id)?.(told);
    waiting.delete(told.id);
  });
  let last = 0;
  const ask = async (command: Command): Promise<Told> => {
    last += 1;
    const { promise, resolve: answer } = Promise.withResolvers<Told>();
    waiting.set(last, answer);
    child.send({ id: last, ...command } satisfies Asked);
    const told = await promise;
    if (told.trouble !== undefined) throw new Error(told.trouble);
    return told;
  };
  return {
    url,
    desk: {
      read: async () => itemsOf(await ask({ does: "list" })),
      add: async (sku, item) => {
        await ask({ does: "add", values: { sku, ...valuesOf(item) } });
      },
      edit: async (sku, values) => {
        await ask({ does: "edit", sku, values: valuesOf(values) });
      },
      remove: async (sku) => {
        await ask({ does: "remove", sku });
      },
    },
    ambush: async (pid, nth) => {
      await ask({ does: "ambush", pid, nth });
    },
    standDown: async () => {
      await ask({ does: "stand down" });
    },
    close: async () => {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

const valuesOf = ({ stock, ...values }: Partial<Item>) => ({
  ...values,
  ...(stock === undefined ? {} : { stock: Number(stock) }),
});

function itemsOf({ items = [] }: Told): Items {
  const found: Items = new Map();
  for (const { sku, name, stock, price, note } of items) {
    if (found.has(sku)) throw new Error(`${sku} stands twice in the inventory.`);
    found.set(sku, { name, stock: String(stock), price: String(price), note: String(note) });
  }
  return found;
}
