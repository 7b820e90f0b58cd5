import type { Command } from "commander";
import type { SampleMls, SampleMlsOptions } from "../../testing/sample-mls/index.ts";
import { usage, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { SampleMlsJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface SampleOptions {
  readonly listings: number;
  readonly seed: number;
  readonly port: number;
  readonly fields?: number;
  readonly liveEvery?: number;
}

const SAMPLE_PORT = 4800;

export function addSampleMls(program: Command, cli: Cli): void {
  program
    .command("sample-mls")
    .helpGroup("Try:")
    .summary("serve a made-up MLS on this machine")
    .description(
      "Serves a RESO Web API on loopback that behaves as WFRMLS does, with made-up listings, until Ctrl-C. lockstep init sample writes the configuration for it.",
    )
    .option("--listings <n>", "how many, at most 2,000,000", wholeNumber("--listings", 0), 2_000)
    .option("--seed <n>", "all data follow from it", wholeNumber("--seed", 0), 1)
    .option("--port <n>", "0 for any that is free", wholeNumber("--port", 0), SAMPLE_PORT)
    .option("--fields <n>", "columns of Property, at least 40", wholeNumber("--fields", 40))
    .option(
      "--live-every <seconds>",
      "some listings change every so many seconds",
      wholeNumber("--live-every", 1),
    )
    .action((options: SampleOptions, command: Command) =>
      act(cli, command, (session) => serve(session, options)),
    );
}

async function serve(session: Session, options: SampleOptions): Promise<ExitCode> {
  const { startSampleMls } = await import("../../testing/sample-mls/index.ts");
  const { listings, seed, port, fields } = options;
  const mls = await start(startSampleMls, {
    listings,
    seed,
    port,
    files: {},
    ...(fields === undefined ? {} : { propertyFields: fields }),
  });
  const timer = options.liveEvery === undefined ? undefined : live(mls, options.liveEvery);
  try {
    const json: SampleMlsJson = { url: mls.url, controlUrl: mls.controlUrl, token: mls.token };
    await session.print(json, () => [
      `Serving ${mls.count("Property").toLocaleString("en-US")} listings at ${mls.url}`,
      `Token:   export SAMPLE_MLS_TOKEN=${mls.token}`,
      `Control: curl -X POST ${mls.controlUrl}/live -d '{"step":1}'   lets a day pass`,
      "Ctrl-C ends it.",
    ]);
    await new Promise<void>((resolve) => {
      session.io.onInterrupt(() => resolve());
    });
    return EXIT.done;
  } finally {
    clearInterval(timer);
    await mls.close();
  }
}

function live(mls: SampleMls, seconds: number): NodeJS.Timeout {
  let step = 0;
  return setInterval(() => {
    step += 1;
    mls.control.live({ step });
  }, seconds * 1_000);
}

/** Options that make no sense and a port in use are the caller's to correct. */
async function start(
  startSampleMls: (options: SampleMlsOptions) => Promise<SampleMls>,
  options: SampleMlsOptions,
): Promise<SampleMls> {
  try {
    return await startSampleMls(options);
  } catch (error) {
    if (error instanceof RangeError) throw usage(error.message);
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") {
      throw usage(
        `Port ${options.port} is in use.`,
        "Name another with `--port`, or 0 for any that is free.",
      );
    }
    throw error;
  }
}
