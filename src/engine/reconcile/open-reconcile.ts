import { inPlaces, nextPlaces } from "../../core/field-places.ts";
import { checkMapping } from "../../core/mapping/check-mapping.ts";
import { compileMapping } from "../../core/mapping/compile-mapping.ts";
import type { SideMapping as Mapping, MappingProblem } from "../../core/mapping/field-mapping.ts";
import type { CompiledSide, ReconcileSpec, SideSpec } from "../../core/mapping/reconcile-spec.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { Direction, SharedField, SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { timestampFromEpochMs } from "../../model/timestamp.ts";
import type { Value } from "../../model/value.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Connector } from "../../ports/connector.ts";
import type { Home } from "../../ports/home.ts";
import type { Clock, Random } from "../../ports/runtime.ts";
import type { LeaseOwner } from "../context.ts";
import { hashText } from "../replicate/hash.ts";
import { checkMark, checkWritable, fitMark } from "./check-side.ts";
import type { ReconcileContext, SideContext, SideMapping } from "./context.ts";
import { type DiscoveredSide, type DiscoveryParts, discoverSides } from "./discover-sides.ts";
import { keptPlaces } from "./kept-places.ts";
import { digestSeed } from "./names.ts";
import { sharedFields, withSharedTypes } from "./shared-fields.ts";

/** What opening a reconcile sync needs beside its settings. */
export interface OpeningParts extends DiscoveryParts {
  readonly home: Home & Agreements;
  readonly clock: Clock;
  readonly random: Random;
  readonly owner: LeaseOwner;
  readonly emit: ReconcileContext["emit"];
}

/**
 * Finds the sides' streams (see `discoverSides` of one that is away) and fits the settings to what they turn out to be: the shared fields
 * with their types, the mappings, conditions and policies. Throws STREAM_UNKNOWN, and
 * CONFIG_INVALID with everything that does not fit.
 */
export async function openReconcile(
  spec: ReconcileSpec,
  parts: OpeningParts,
  signal: AbortSignal,
): Promise<ReconcileContext> {
  const discovered = await discoverSides(spec, parts, signal);
  const schemas = new Map([...discovered].map(([name, { schema }]) => [name, schema]));
  const found = sharedFields(spec, schemas);
  const kept = await keptPlaces(parts.home, spec.name);
  const fields = inPlaces(
    nextPlaces(
      kept,
      found.map(({ name }) => name),
    ),
    found,
  );
  const shared = fields.filter(({ isLeft }) => isLeft !== true);
  const now = timestampFromEpochMs(parts.clock.now());
  const policies = spec.compilePolicies(shared, now);
  const problems = policies.problems.map((problem) => sentence(`syncs.${spec.name}`, problem));
  const sides = spec.sides.map((side) => {
    const { schema: told, connector } = discovered.get(side.name) as DiscoveredSide;
    const schema = withSharedTypes(told, side.compile(told.fields, shared).mapping, shared);
    const compiled = side.compile(schema.fields, shared);
    const wrong = [
      ...compiled.problems,
      ...checkMapping(compiled.mapping, schema.fields, shared),
      ...checkWritable(side, schema, compiled.mapping),
      ...checkMark(side, spec.match, compiled.mapping, schema, shared),
    ];
    const path = `syncs.${spec.name}.sides.${side.name}`;
    problems.push(...wrong.map((problem) => sentence(path, problem)));
    const lacks = lackedBy(spec, side, compiled, schema);
    return { ...sideContext(side, { schema, compiled, fields, connector }), lacks };
  });
  problems.push(...unreadMatches(spec, fields, sides));
  if (problems.length > 0) {
    throw new SyncError("CONFIG_INVALID", told(spec.name, problems), { details: { problems } });
  }
  return {
    sync: spec.name,
    rules: {
      fields,
      roles: sides.map(({ role }) => role),
      policies: byPlace(fields, policies.chains, []),
      deletes: spec.deletes,
    },
    match: spec.match.map((name) => fields.findIndex((field) => field.name === name)),
    guard: spec.guard,
    configuration: hashText(JSON.stringify([spec.configuration, fields])),
    sides,
    home: parts.home,
    clock: parts.clock,
    random: parts.random,
    owner: parts.owner,
    leaseMs: spec.leaseMs,
    buryMs: spec.buryMs,
    emit: parts.emit,
  };
}

/** What there is of each field that is shared, with `none` where only a place is left. */
function byPlace<T>(fields: readonly SharedField[], each: readonly T[], none: T): readonly T[] {
  const rest = each[Symbol.iterator]();
  return fields.map(({ isLeft }) => (isLeft === true ? none : (rest.next().value ?? none)));
}

function told(sync: string, problems: readonly string[]): string {
  if (problems.length === 1) return problems[0] ?? "";
  const list = problems.map((problem) => `  ${problem}`).join("\n");
  return `The sync "${sync}" does not fit its sides in ${problems.length} places:\n${list}`;
}

function sentence(path: string, problem: MappingProblem): string {
  return `${path}: ${problem.path} ${problem.reason}. ${problem.remedy}`;
}

function unreadMatches(
  { match, name: sync }: ReconcileSpec,
  fields: readonly SharedField[],
  sides: readonly SideContext[],
): readonly string[] {
  return match.flatMap((name) => {
    const index = fields.findIndex((field) => field.name === name);
    if (index < 0) {
      const shared = fields.filter(({ isLeft }) => isLeft !== true);
      const known = shared.map((field) => field.name).join(", ");
      return [`syncs.${sync}: match names "${name}", which is no shared field; shared: ${known}.`];
    }
    return sides
      .filter(({ role }) => role.directions[index] === "none")
      .map(
        (side) =>
          `syncs.${sync}.sides.${side.name}: "${name}" is not mapped, and records are matched by it.`,
      );
  });
}

/** Declared fields that a side neither has under that name nor is said to be without. */
function lackedBy(
  { fields }: ReconcileSpec,
  { unmapped }: SideSpec,
  { mapping }: CompiledSide,
  schema: StreamSchema,
): NonNullable<SideContext["lacks"]> {
  const known = new Set([...unmapped, ...mapping.fields.map(({ shared }) => shared)]);
  const used = new Set(
    mapping.fields.flatMap(({ from }) => (from.kind === "field" ? [from.name] : [])),
  );
  const free = schema.fields.map(({ name }) => name).filter((name) => !used.has(name));
  return fields.flatMap(({ name }) => {
    if (known.has(name)) return [];
    const [alike] = nearMatches(name, free);
    return [alike === undefined ? { field: name } : { field: name, alike }];
  });
}

function sideContext(
  side: SideSpec,
  fitted: {
    readonly schema: StreamSchema;
    readonly compiled: CompiledSide;
    readonly fields: readonly SharedField[];
    readonly connector: Connector;
  },
): SideContext {
  const { schema, fields, connector } = fitted;
  const { mapping, accepts } = fitted.compiled;
  const isShared = fields.map(({ isLeft }) => isLeft !== true);
  const compiled = compileMapping(mapping, schema.fields, fields);
  const directions = fields.map(({ name }): Direction | "none" => {
    const own = mapping.fields.filter((each) => each.shared === name);
    if (own.length === 0) return "none";
    const reads = own.some(({ direction }) => direction !== "write");
    const writes = own.some(({ direction }) => direction !== "read");
    return reads && writes ? "both" : reads ? "read" : "write";
  });
  const role: SideRole = {
    side: side.name,
    directions,
    create: side.create,
    update: side.update,
    remove:
      typeof side.remove === "string" ? side.remove : { mark: marks(side.remove.mark, fields) },
    accepts: (values) => accepts(values.filter((_, place) => isShared[place])),
    whenLeaving: side.whenLeaving,
  };
  const hasDigests =
    side.digests && schema.traits.digests !== undefined && connector.sumDigests !== undefined;
  return {
    name: side.name,
    connector,
    query: {
      schema,
      ...(side.filter === undefined ? {} : { filter: side.filter }),
      ...(hasDigests
        ? { digestSeed: digestSeed(side.mappingText, side.filterText, fields, schema) }
        : {}),
    },
    schema,
    role,
    mapping: withWrittenRead(mapping, schema, fields, compiled),
    observe: side.observe,
    clockOffsetMs: side.clockOffsetMs,
    overlapMs: side.overlapMs,
    refreshMs: side.refreshMs,
    settings: {
      mapping: hashText(side.mappingText),
      filter: hashText(side.filterText),
      fields: mapping.fields.flatMap(({ shared, from }) =>
        from.kind === "field" ? [[shared, from.name] as const] : [],
      ),
    },
  };
}

function marks(mark: Readonly<Record<string, Value>>, fields: readonly SharedField[]): Values {
  return fields.map(({ name, type }) => {
    const value = mark[name];
    if (value === undefined) return undefined;
    return fitMark(type, value) ?? value;
  });
}

/**
 * Fields that are only written are read all the same, so that a value that drifted there is seen
 * and written again; what cannot be read of them is no problem, since it does not count.
 */
function withWrittenRead(
  mapping: Mapping,
  schema: StreamSchema,
  fields: readonly SharedField[],
  compiled: SideMapping,
): SideMapping {
  const onlyWritten = mapping.fields.filter(
    ({ shared, direction }) =>
      direction === "write" &&
      !mapping.fields.some((each) => each.shared === shared && each.direction !== "write"),
  );
  if (onlyWritten.length === 0) return compiled;
  const asRead = onlyWritten.map((each) => ({ ...each, direction: "read" as const }));
  const written = compileMapping({ fields: asRead, onCreate: [] }, schema.fields, fields);
  return {
    ...compiled,
    toShared: (values) => {
      const own = compiled.toShared(values);
      const seen = written.toShared(values).values;
      return {
        values: own.values.map((value, at) => (value === undefined ? seen[at] : value)),
        problems: own.problems,
      };
    },
  };
}
