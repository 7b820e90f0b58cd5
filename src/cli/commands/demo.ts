import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { act } from "../session.ts";

interface DemoOptions {
  readonly listings: number;
  readonly directory: string;
}

export function addDemo(program: Command, cli: Cli): void {
  const demo = program
    .command("demo")
    .helpGroup("Try:")
    .summary("watch the main job from end to end")
    .description("Shows the main job on made-up data, on this machine alone.");
  demo
    .command("mls")
    .description(
      "Starts a sample MLS, copies it, lets a day pass there, reads what changed, and proves the replica equal, field by field. Leaves the database in place.",
    )
    .option("--listings <n>", "how many", wholeNumber("--listings", 300), 2_000)
    .option("--directory <folder>", "where the replica is put", "lockstep-demo")
    .action(async (options: DemoOptions, command: Command) => {
      const { runMlsDemo } = await import("../demo/mls-demo.ts");
      await act(cli, command, (session) => runMlsDemo(cli, session, options));
    });
  demo
    .command("inventory")
    .description(
      "Makes a shop's database and a warehouse's file that disagree, and keeps them in step: plan, apply, conflict, explain, undo, each as you would type it. Leaves both in place.",
    )
    .option("--directory <folder>", "where both are put", "lockstep-demo-inventory")
    .action(async (options: { readonly directory: string }, command: Command) => {
      const { runInventoryDemo } = await import("../demo/inventory-demo.ts");
      await act(cli, command, (session) => runInventoryDemo(cli, session, options));
    });
}
