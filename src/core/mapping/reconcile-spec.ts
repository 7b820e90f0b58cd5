import type {
  Comparison,
  DeleteRules,
  Direction,
  PolicyChain,
  SharedField,
} from "../../model/reconcile.ts";
import type { ReconcileGuardSpec } from "../../model/reconcile-spec.ts";
import type { Values } from "../../model/record.ts";
import type { Field } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { MappingProblem, SideMapping } from "./field-mapping.ts";

/** How a reconcile sync is configured, every default filled in. */
export interface ReconcileSpec {
  readonly name: string;
  readonly sides: readonly SideSpec[];
  /** Names of the shared fields by which records are matched. */
  readonly match: readonly string[];
  /** Declared fields; none: those that every side has under the same name. */
  readonly fields: readonly SharedFieldSpec[];
  readonly deletes: DeleteRules;
  readonly guard: ReconcileGuardSpec;
  readonly leaseMs: number;
  /** Tombstones are kept at least this long. */
  readonly buryMs: number;
  /** All settings that a plan depends on, as one text; equal settings have equal texts. */
  readonly configuration: string;
  /** The policies of each shared field, in order. `now` is when the run begins. */
  readonly compilePolicies: (
    fields: readonly SharedField[],
    now: string,
  ) => { readonly chains: readonly PolicyChain[]; readonly problems: readonly MappingProblem[] };
}

export interface SharedFieldSpec {
  readonly name: string;
  /** Absent: as the sides have it. */
  readonly type?: ValueType;
  readonly compare: Comparison;
}

export interface SideSpec {
  readonly name: string;
  readonly system: string;
  readonly stream: string;
  readonly direction: Direction;
  /** In the system's own language. */
  readonly filter?: string;
  readonly observe: "whole" | "changes";
  readonly overlapMs: number;
  /** A side that is observed by changes is read whole again when that was so long ago. */
  readonly refreshMs: number;
  /** Digests, where the system tells them, say which records are to be read. */
  readonly digests: boolean;
  readonly clockOffsetMs: number;
  readonly create: boolean;
  readonly update: boolean;
  /** `mark` gives shared fields by name. */
  readonly remove: "delete" | "never" | { readonly mark: Readonly<Record<string, Value>> };
  readonly whenLeaving: "keep" | "remove";
  /** Shared fields that this side has under another name or in another form, or (`null`) not at all. */
  readonly mapped: readonly string[];
  readonly unmapped: readonly string[];
  /** What depends on the fields that the side turns out to have. */
  readonly compile: (
    sideFields: readonly Field[],
    sharedFields: readonly SharedField[],
  ) => CompiledSide;
  /** The settings of mapping and filter, as texts; a change of either is a reason to stop. */
  readonly mappingText: string;
  readonly filterText: string;
  /** The side's own name of a shared field, where it is a plain field. */
  readonly fieldOf: (shared: string) => string | undefined;
}

export interface CompiledSide {
  readonly mapping: SideMapping;
  readonly accepts: (values: Values) => boolean;
  readonly problems: readonly MappingProblem[];
}
