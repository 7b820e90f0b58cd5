import type { z } from "zod";
import type { StreamDefaults } from "../model/replicate.ts";

/** What the configuration needs to know of a kind of connector; passed in by the application root. */
export interface ConnectorKind {
  /** The keys beside `connector`. Unknown keys are refused whether the schema is strict or not. */
  readonly settings: z.ZodObject;
  /** Settings that hold a reference to a secret (`env:NAME`, `file:PATH`), never the secret. */
  readonly secrets: readonly string[];
  /** `source`: may be replicated; `destination`: may be replicated into. */
  readonly roles: readonly ("source" | "destination")[];
  /** Per stream, for the parsed settings of one system. */
  readonly streamDefaults?: (
    settings: Readonly<Record<string, unknown>>,
  ) => Readonly<Record<string, StreamDefaults>>;
  /** Words for why a system of these settings cannot have the role; nothing where it can. */
  readonly unfitFor?: (
    role: "source" | "destination",
    settings: Readonly<Record<string, unknown>>,
  ) => string | undefined;
  /** True when what the destination writes is made of the history, so that it needs one. */
  readonly tellsHistory?: (settings: Readonly<Record<string, unknown>>) => boolean;
}

/** By the word that `connector:` takes. */
export type ConnectorKinds = Readonly<Record<string, ConnectorKind>>;
