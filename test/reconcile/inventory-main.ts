/** The process of an inventory's API, as `startInventoryProcess` starts it; it obeys by IPC. */
import {
  type InventoryItem,
  type ItemValues,
  type SampleInventoryOptions,
  startSampleInventory,
} from "../../src/testing/sample-inventory/index.ts";

/** What the people of the inventory do, each in one go. */
export type Command =
  | { readonly does: "list" }
  | { readonly does: "add"; readonly values: ItemValues }
  | { readonly does: "edit"; readonly sku: string; readonly values: ItemValues }
  | { readonly does: "remove"; readonly sku: string }
  /** Ends the process of that id when the nth write from now on has come and is not answered. */
  | { readonly does: "ambush"; readonly pid: number; readonly nth: number }
  | { readonly does: "stand down" };

export type Asked = { readonly id: number } & Command;

export interface Told {
  readonly id: number;
  readonly items?: readonly InventoryItem[];
  readonly trouble?: string;
}

const options = JSON.parse(process.argv[2] ?? "{}") as SampleInventoryOptions;
const inventory = await startSampleInventory(options);

function only(sku: string): InventoryItem {
  const [item, ...others] = inventory.items().filter((each) => each.sku === sku);
  if (item === undefined || others.length > 0) {
    throw new Error(`The inventory has ${others.length + (item ? 1 : 0)} items of ${sku}.`);
  }
  return item;
}

function lieInWait(pid: number, nth: number): void {
  let left = nth;
  inventory.onRequest(({ method }) => {
    if (method === "GET") return;
    left -= 1;
    if (left !== 0) return;
    inventory.onRequest(undefined);
    process.kill(pid, "SIGKILL");
  });
}

function act(command: Command): readonly InventoryItem[] {
  switch (command.does) {
    case "list":
      return inventory.items();
    case "add":
      return [inventory.create(command.values)];
    case "edit":
      inventory.update([only(command.sku).id], command.values);
      return [];
    case "remove":
      inventory.remove(only(command.sku).id);
      return [];
    case "ambush":
      lieInWait(command.pid, command.nth);
      return [];
    case "stand down":
      inventory.onRequest(undefined);
      return [];
  }
}

process.on("message", ({ id, ...command }: Asked) => {
  try {
    process.send?.({ id, items: act(command) } satisfies Told);
  } catch (error) {
    process.send?.({ id, trouble: (error as Error).message } satisfies Told);
  }
});
process.on("disconnect", () => process.exit(0));
process.send?.({ url: inventory.url });
