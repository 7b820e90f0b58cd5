import type { OpenConflict } from "../../model/plan.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import { calmHome, runCalm, runRough } from "./running.ts";
import { type SideShape, STREAM, SYNC } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** A person looks at what is open and decides some of it. */
export async function resolve(world: ReconcileWorldState): Promise<void> {
  const { random, tallies } = world;
  const home = calmHome(world);
  const open = await home.conflicts({ sync: SYNC, resolved: false });
  for (const conflict of open.filter(() => random.chance(0.6))) {
    const answer = resolutionOf(world, conflict);
    tallies.count(conflict.field === undefined ? "life of a record resolved" : "conflict resolved");
    world.trace.add(`a person resolves ${conflict.id} ${JSON.stringify(answer)}`);
    if (conflict.field === undefined) {
      world.decidedAfter.set(conflict.link, world.ledger.made.size);
    }
    const resolution = { by: "ann", at: world.timeline.now(), ...answer };
    await home.resolveConflicts([{ id: conflict.id, resolution }]);
  }
}

function resolutionOf(
  { random, people }: ReconcileWorldState,
  { field, candidates }: OpenConflict,
): { readonly take?: string; readonly value?: string; readonly deletes?: boolean } {
  if (field === undefined) return { deletes: random.chance(0.5) };
  if (field === "name" && random.chance(0.3)) return { value: people.newName() };
  return { take: random.pick(candidates).side };
}

/**
 * Where a person decides between edits and deletions: one side edits what another deletes, it is
 * decided, and then people may go on working before the decision is carried out.
 */
export async function contest(world: ReconcileWorldState, random: SeededRandom): Promise<void> {
  const { people, shape, timeline } = world;
  if (shape.rules.deletes.editAgainstDelete !== "review") return;
  await runCalm(world, { kind: "run" });
  for (const link of world.home.agreements.links.values()) {
    const [editing, deleting, ...others] = random.shuffle(
      shape.sides.filter((side) => rowOf(world, side, link.link) !== undefined),
    );
    if (editing === undefined || deleting === undefined || random.chance(0.3)) continue;
    const edit = (side: SideShape): void => {
      const row = rowOf(world, side, link.link);
      if (row !== undefined) people.edit(side, row);
    };
    edit(editing);
    const row = rowOf(world, deleting, link.link);
    if (row !== undefined) people.remove(deleting, row);
    for (const other of others) if (random.chance(0.2)) edit(other);
  }
  timeline.advance(10_000);
  await runCalm(world, { kind: "run" });
  await resolve(world);
  for (const { link, field } of world.home.agreements.conflicts.values()) {
    if (field !== undefined || random.chance(0.6)) continue;
    const sides = shape.sides.filter((side) => rowOf(world, side, link) !== undefined);
    const side = sides.length === 0 ? undefined : random.pick(sides);
    const row = side && rowOf(world, side, link);
    if (side === undefined || row === undefined) continue;
    if (random.chance(0.8)) people.edit(side, row);
    else people.remove(side, row);
  }
  timeline.advance(10_000);
  const decided = await toBeDeleted(world);
  const before = happened(world);
  await runRough(world, { kind: "run" });
  timeline.advance(10_000);
  await runCalm(world, { kind: "run" });
  if (happened(world) !== before) return;
  for (const { link, name } of await calmHome(world).conflicts({ sync: SYNC, link: decided })) {
    world.violations.push(`whether ${name} (${link}) lives is asked again, or was not carried out`);
  }
}

/** The records that go by a decision that holds: nobody did anything to them since it was made. */
async function toBeDeleted(world: ReconcileWorldState): Promise<readonly number[]> {
  const ending = await runCalm(world, { kind: "plan" });
  if (ending.kind !== "done") return [];
  const planned = await calmHome(world).planned(ending.head.plan, 0, 10_000);
  return planned.flatMap(({ link, record }) =>
    record.kind === "delete-beat-edit" && record.decided !== undefined ? [link] : [],
  );
}

/** Grows with all that people do, and with each process that is given old data. */
function happened({ trace, ledger }: ReconcileWorldState): number {
  return trace.lines.filter((line) => line.includes(" people ")).length + ledger.misled.size;
}

function rowOf({ home, systems }: ReconcileWorldState, { name }: SideShape, link: number) {
  const own = [...home.agreements.sides.values()].find(
    (one) => one.link === link && one.side === name,
  );
  return own && systems.get(name)?.row(STREAM, own.key);
}
