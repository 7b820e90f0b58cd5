import type { Lockstep } from "../engine/lockstep.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";

export interface OpenOptions {
  /** Where the person is; absolute. */
  readonly directory: string;
  /** The configuration that was named, if any. */
  readonly configFile?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** TypeScript types of one system, from its `$metadata`. */
export interface SystemTypes {
  readonly system: string;
  readonly text: string;
  readonly streams: number;
  readonly lookups: number;
}

/** What the command line asks of the composition root. */
export interface Application {
  readonly open: (options: OpenOptions) => Promise<Lockstep>;
  /** The JSON Schema of the configuration, every connector's settings included. */
  /** Of the named system or, without a name, of the only one that has `$metadata`. */
  readonly types: (
    options: OpenOptions,
    system: string | undefined,
    signal: AbortSignal,
  ) => Promise<SystemTypes>;
  readonly configSchema: () => Promise<Readonly<Record<string, unknown>>>;
}

/** What every command is given. */
export interface Cli {
  readonly io: CliIo;
  readonly app: Application;
  /** Says with what the command ended; without it, 0. */
  readonly finish: (exit: ExitCode) => void;
  /** Runs another command line of the same application, as a person would type it. */
  readonly run?: (args: readonly string[], io: CliIo) => Promise<ExitCode>;
}

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
}

/** A system as it would stand under `systems`. */
export type GivenSystem = Readonly<Record<string, unknown>> & { readonly connector: string };
