import type { Command } from "commander";
import { chosenSides } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";
import { withSidesWatch } from "../sides-session.ts";

export function addExplain(program: Command, cli: Cli): void {
  program
    .command("explain")
    .helpGroup("Sides:")
    .summary("where a shared value comes from, and what it beat")
    .description(
      "Tells the story of a record's value: which side it came from, in which run, by which rule, what it beat, and what every side has now. Without a field, of all its fields.",
    )
    .argument("<sync>", "the sync")
    .argument("<record>", "its match value, or a side's key as SIDE:KEY")
    .argument("[field]", "the shared field; without it, all of them")
    .action(
      (
        named: string,
        record: string,
        field: string | undefined,
        _options: unknown,
        command: Command,
      ) =>
        act(cli, command, (session) =>
          session.withLockstep(async (lockstep) => {
            const { name: sync } = chosenSides(lockstep, named);
            const explanation = await withSidesWatch(session, sync, (watch) =>
              lockstep.reconcile.explain(sync, record, field, watch),
            );
            const { explainLines } = await import("../render/explain.ts");
            await session.print(explanation, (look) => explainLines(sync, explanation, look));
            return EXIT.done;
          }),
        ),
    );
}
