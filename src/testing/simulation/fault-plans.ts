import { EFFECTS, type FaultPlan, NO_FAULTS } from "./fate.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What befalls an ordinary run: often nothing much, sometimes a good deal. */
export function createFaultPlan(random: SeededRandom): FaultPlan {
  const rough = random.chance(0.7);
  return {
    ...NO_FAULTS,
    latency: random.pick([0, 0.05, 0.3]),
    shortPages: random.pick([0, 0.5]),
    editsDuringReads: random.pick([0, 0.1, 0.4]),
    duplicates: random.pick([0, 0, 0.2]),
    cutShort: rough ? random.pick([0, 0, 0.3]) : 0,
    sourceErrors: rough ? random.pick([0, 0.05, 0.15]) : 0,
    homeLocked: rough ? random.pick([0, 0, 0.15]) : 0,
    homeFull: rough ? random.pick([0, 0, 0, 0.05]) : 0,
    renewalFails: rough && random.chance(0.05),
    ...(rough ? suddenEnd(random) : {}),
  };
}

function suddenEnd(random: SeededRandom): Partial<FaultPlan> {
  const nth = random.int(1, random.pick([2, 4, 12, 30]));
  const kind = random.weighted({ crash: 5, stop: 1, jump: 1, none: 3 });
  switch (kind) {
    case "crash": {
      const effect = random.pick(EFFECTS);
      return { crash: { effect, nth, after: random.chance(0.5) } };
    }
    case "stop":
      return { stopAt: nth };
    case "jump":
      return { clockJump: { nth, ms: random.pick([-1, 1]) * random.int(1_000, 7_200_000) } };
    case "none":
      return {};
  }
}

/** Nothing goes wrong but that the process freezes somewhere before its end. */
export function createFreezingPlan(random: SeededRandom): FaultPlan {
  return {
    ...NO_FAULTS,
    shortPages: 0.5,
    freeze: {
      effect: random.pick(["page", "commit", "bookkeeping"] as const),
      nth: random.int(2, random.pick([3, 6, 12])),
      after: random.chance(0.6),
    },
  };
}
