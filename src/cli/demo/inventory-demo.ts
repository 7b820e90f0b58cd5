import { resolve as resolvePath } from "node:path";
import { SyncError } from "../../model/sync-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import {
  differencesOf,
  type InventoryLook,
  type InventoryPlace,
  makeInventoryPlace,
} from "./inventory-place.ts";

export interface InventoryDemoOptions {
  readonly directory: string;
}

/** What a person would type, the folder being theirs; gives the exit code. */
type Type = (...args: readonly string[]) => Promise<ExitCode>;

interface Demo {
  readonly place: InventoryPlace;
  readonly type: Type;
  readonly step: (title: string, ...lines: readonly string[]) => void;
  /** The number of what waits, and the newest run, as one looks them up. */
  readonly newestRun: () => Promise<string>;
  readonly waiting: () => Promise<string>;
  readonly expect: (what: string, isTrue: boolean) => void;
}

/**
 * A shop and a warehouse that disagree, from the first plan to the proof that they are equal:
 * every step is a command as a person types it. Leaves both systems and the configuration.
 */
export async function runInventoryDemo(
  cli: Cli,
  session: Session,
  options: InventoryDemoOptions,
): Promise<ExitCode> {
  const { run } = cli;
  if (run === undefined)
    throw new SyncError("INTERNAL", "The demo has no command line to type on.");
  const directory = resolvePath(session.io.directory, options.directory);
  const { style } = await session.look();
  const isQuiet = session.globals.json === true;
  const out = isQuiet ? (): void => {} : session.io.out;
  const io = { ...session.io, directory, out, inIsTerminal: false };
  const say = (...lines: readonly string[]): void => out(lines.map((line) => `${line}\n`).join(""));
  const place = makeInventoryPlace(directory);
  const wrong: string[] = [];
  const type: Type = async (...args) => {
    say("", style.dim(`$ lockstep ${args.map(typed).join(" ")}`));
    return run([...args, ...(session.globals.color ? [] : ["--no-color"])], io);
  };
  const lookUp = async <T>(
    ask: (lockstep: Awaited<ReturnType<Cli["app"]["open"]>>) => Promise<T>,
  ): Promise<T> => {
    const lockstep = await cli.app.open({ directory, env: io.env });
    try {
      return await ask(lockstep);
    } finally {
      await lockstep.close();
    }
  };
  const demo: Demo = {
    place,
    type,
    step: (title, ...lines) => say("", style.bold(title), ...lines.map((line) => `  ${line}`)),
    newestRun: () =>
      lookUp(async (lockstep) => {
        const [newest] = await lockstep.reconcile.history("inventory", { limit: 1 });
        return newest?.runId ?? "";
      }),
    waiting: () =>
      lookUp(async (lockstep) => {
        const [first] = await lockstep.halts({ waiting: true });
        return String(first?.id ?? "");
      }),
    expect: (what, isTrue) => {
      if (!isTrue) wrong.push(what);
    },
  };
  say(
    `A shop (shop.db) and a warehouse (warehouse.csv) in ${options.directory}, and how they are kept in step (lockstep.yaml).`,
  );
  await tellInventory(demo);
  const differences = differencesOf(place.look());
  const count = place.look().shop.size;
  const isEqual = differences.length === 0 && wrong.length === 0;
  const last = isEqual
    ? style.green(`Equal: all ${count} records of both, read without Lockstep.`)
    : style.red(
        `NOT AS IT SHOULD BE, please report this: ${[...wrong, ...differences].join("; ")}`,
      );
  await session.print({ directory, records: count, differences, wrong, isEqual }, () => [
    "",
    `Both stay in ${options.directory}: edit them, and run the commands above there.`,
    "",
    last,
  ]);
  return isEqual ? EXIT.done : EXIT.failed;
}

const typed = (arg: string): string => (/^[\w.:=-]+$/.test(arg) ? arg : JSON.stringify(arg));

async function tellInventory(demo: Demo): Promise<void> {
  const { place, type, step, newestRun, waiting, expect } = demo;
  step(
    "1. They disagree",
    "prices, stock and weights differ; names differ in case and spaces; some items are only here",
    "or only there; one was entered twice; one is called 007; the shop keeps cents, and rounds weights",
  );
  expect("a first plan with something to do", (await type("plan", "inventory")) === EXIT.planned);

  step("2. Exactly that is done");
  await type("apply", "inventory", "--yes");
  step("3. What the sides agree on stays so: a second plan writes nothing, and tells what is left");
  expect(
    "a second plan with the double entry left",
    (await type("plan", "inventory")) === EXIT.parked,
  );
  await type("explain", "inventory", "SKU-7", "price");

  step(
    "4. People work on both",
    "the shop raises the price of SKU-7, deletes SKU-12 and renames SKU-5",
    "the warehouse counts SKU-3, renames SKU-5 too, and takes the double entry of SKU-9 out",
  );
  place.shop(`UPDATE product SET cents = 2199 WHERE sku = 'SKU-7';
    DELETE FROM product WHERE sku = 'SKU-12';
    UPDATE product SET name = 'Easel, folding' WHERE sku = 'SKU-5'`);
  place.warehouse((lines) =>
    lines
      .filter((line) => !line.includes("Ink (old entry)"))
      .map((line) => {
        if (line.startsWith("SKU-5,"))
          return line.replace(/^SKU-5,("[^"]*"|[^,]*)/, "SKU-5,Easel (oak)");
        return line.startsWith("SKU-3,") ? line.replace(/^((?:[^,]*,){3})\d+/, "$199") : line;
      }),
  );
  expect("a name that waits", (await type("run", "inventory")) === EXIT.parked);

  step(
    "5. Two names for one thing: a person decides, and the rest has gone on",
    "meanwhile the shop sells some of SKU-20",
  );
  await type("conflicts");
  await resolve(demo, "warehouse");
  place.shop("UPDATE product SET stock = 12 WHERE sku = 'SKU-20'");
  const before = place.look();
  expect("a run that is done", (await type("run", "inventory")) === EXIT.done);
  expect("equal sides", differencesOf(place.look()).length === 0);
  await type("explain", "inventory", "SKU-5", "name");

  step("6. Not what was wanted? Every run can be taken back, on both sides");
  await type("undo", "inventory", await newestRun(), "--yes");
  expect("both as they were before that run", isSame(before, place.look()));

  step("7. Runs wait after an undo until a person says so; then the other name is taken");
  await type("release", await waiting(), "--by", "ann");
  expect("the same name that waits again", (await type("run", "inventory")) === EXIT.parked);
  await resolve(demo, "shop");
  expect("a run that is done after the undo", (await type("run", "inventory")) === EXIT.done);
  expect("an empty last plan", (await type("plan", "inventory")) === EXIT.done);
  expect("sides that verify as equal", (await type("verify", "inventory")) === EXIT.done);
}

async function resolve({ type }: Demo, side: string): Promise<void> {
  const which = ["--sync", "inventory", "--name", "SKU-5", "--all"];
  await type("conflicts", "resolve", ...which, "--take", side, "--by", "ann", "--yes");
}

const isSame = (a: InventoryLook, b: InventoryLook): boolean =>
  JSON.stringify([[...a.shop], [...a.warehouse]]) ===
  JSON.stringify([[...b.shop], [...b.warehouse]]);
