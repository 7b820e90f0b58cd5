import type { LinkId } from "../../model/plan.ts";
import { acknowledgedFromText, valuesFromText, valuesToText } from "../../model/stored-plan.ts";
import type {
  KnownRecord,
  Links,
  MatchGroup,
  MergeCandidate,
  StagedRecord,
  Staging,
  StoredLink,
} from "../../ports/agreements.ts";
import type { AgreementState, KeptLink, KeptSide, KeptStaged } from "./agreement-state.ts";
import { checkFence } from "./commit.ts";
import { createDigests } from "./digests.ts";
import { joined, type MemoryHomeState } from "./state.ts";

const idOfLink = (sync: string, link: LinkId): string => joined(sync, String(link));

export function createLinks(state: AgreementState, home: MemoryHomeState): Links {
  const linksOf = (sync: string): readonly KeptLink[] =>
    [...state.links.values()].filter((kept) => kept.sync === sync).sort((a, b) => a.link - b.link);
  const sidesOf = (sync: string, side: string): readonly KeptSide[] =>
    [...state.sides.values()].filter((kept) => kept.sync === sync && kept.side === side);
  return {
    ...createDigests(state, home, knownRecord),
    generation: async (sync) => state.generations.get(sync) ?? 0,
    known: async (sync, side, keys) =>
      new Map(
        keys.flatMap((key) => {
          const kept = state.sides.get(joined(sync, side, key));
          return kept === undefined ? [] : [[key, knownRecord(kept)] as const];
        }),
      ),
    buried: async (sync, side, keys) =>
      new Map(
        keys.flatMap((key) => {
          const grave = state.buried.get(joined(sync, side, key));
          if (grave === undefined) return [];
          const { sync: _sync, side: _side, name, ...buried } = grave;
          return [[key, { ...buried, isStanding: name !== undefined }] as const];
        }),
      ),
    knownCount: async (sync, side) => sidesOf(sync, side).length,
    everyKnown: async function* (sync, side) {
      yield sidesOf(sync, side).map(knownRecord);
    },
    links: async (sync, links) =>
      links.flatMap((link) => {
        const kept = state.links.get(idOfLink(sync, link));
        return kept === undefined ? [] : [storedLink(state, kept)];
      }),
    findLinks: async (sync, by) => {
      if ("name" in by) {
        return linksOf(sync)
          .filter(({ name }) => name === by.name)
          .map((kept) => storedLink(state, kept));
      }
      const side = state.sides.get(joined(sync, by.side, by.key));
      const kept = side === undefined ? undefined : state.links.get(idOfLink(sync, side.link));
      return kept === undefined ? [] : [storedLink(state, kept)];
    },
    scanLinks: async (sync, after, limit) =>
      linksOf(sync)
        .filter(({ link }) => link > after)
        .slice(0, limit)
        .map((kept) => storedLink(state, kept)),
    linkCount: async (sync) => linksOf(sync).length,
    renameLinks: async (lease, names) => {
      checkFence(home, lease);
      for (const { link, name } of names) {
        const kept = state.links.get(idOfLink(lease.sync, link));
        if (kept !== undefined) state.links.set(idOfLink(lease.sync, link), { ...kept, name });
        for (const [id, conflict] of state.conflicts) {
          const isOfLink = conflict.sync === lease.sync && conflict.link === link;
          if (isOfLink) state.conflicts.set(id, { ...conflict, name });
        }
      }
    },
    touchBuried: async (sync, side, keys, at) => {
      for (const key of keys) {
        const id = joined(sync, side, key);
        const grave = state.buried.get(id);
        if (grave !== undefined) state.buried.set(id, { ...grave, buriedAt: at });
      }
    },
    knowStanding: async (lease, side, standing) => {
      checkFence(home, lease);
      for (const { key, hash, name } of standing) {
        const id = joined(lease.sync, side, key);
        const grave = state.buried.get(id);
        if (grave?.name !== undefined) state.buried.set(id, { ...grave, hash, name });
      }
    },
    forgetBuried: async (lease, before) => {
      checkFence(home, lease);
      const old = [...state.buried.entries()].filter(
        ([, grave]) => grave.sync === lease.sync && grave.buriedAt < before,
      );
      for (const [id] of old) state.buried.delete(id);
      return old.length;
    },
  };
}

function knownRecord({ key, link, row, hash, digest }: KeptSide): KnownRecord {
  return { key, link, row, hash, ...(digest === undefined ? {} : { digest }) };
}

export function storedLink(state: AgreementState, kept: KeptLink): StoredLink {
  const { sync, link, name, agreed, behind } = kept;
  const sides = [...state.sides.values()].filter(
    (side) => side.sync === sync && side.link === link,
  );
  return {
    link,
    name,
    agreed: valuesFromText(agreed),
    behind,
    sides: Object.fromEntries(
      sides.map(({ side, key, acknowledged, version }) => [
        side,
        {
          key,
          acknowledged: acknowledgedFromText(acknowledged),
          ...(version === undefined ? {} : { version }),
        },
      ]),
    ),
  };
}

export function createStaging(state: AgreementState, home: MemoryHomeState): Staging {
  const stagedOf = (sync: string): readonly KeptStaged[] =>
    [...state.staged.values()].filter((record) => record.sync === sync);
  return {
    clearStaged: async (lease) => {
      checkFence(home, lease);
      const { sync } = lease;
      for (const [id, record] of state.staged) if (record.sync === sync) state.staged.delete(id);
    },
    stage: async (lease, records) => {
      checkFence(home, lease);
      const { sync } = lease;
      for (const record of records) {
        const { values, ...rest } = record;
        const kept = { ...rest, sync, values: valuesToText(values) };
        state.staged.set(joined(sync, record.side, record.key), kept);
      }
    },
    unmatched: async (sync, after, limit) => {
      const names = new Map<string, KeptStaged[]>();
      for (const record of stagedOf(sync)) {
        if (record.link !== undefined || record.state !== "present") continue;
        if (record.name === undefined || (after !== null && record.name <= after)) continue;
        names.set(record.name, [...(names.get(record.name) ?? []), record]);
      }
      const inOrder = [...names.keys()].sort().slice(0, limit);
      return inOrder.map((name) => matchGroup(state, sync, name, names.get(name) ?? []));
    },
    standingMet: async (sync, side) => {
      const isNew = (name: string): boolean =>
        stagedOf(sync).some(
          (record) =>
            record.name === name && record.link === undefined && record.state === "present",
        );
      const lacksIt = (name: string): boolean =>
        [...state.links.values()].some(
          (kept) =>
            kept.sync === sync &&
            kept.name === name &&
            storedLink(state, kept).sides[side] === undefined,
        );
      return [...state.buried.values()].flatMap((grave) => {
        const { key, name } = grave;
        if (grave.sync !== sync || grave.side !== side || name === undefined) return [];
        return isNew(name) || lacksIt(name) ? [{ key, name }] : [];
      });
    },
    standingNamed: async (sync, side, names) =>
      [...state.buried.values()].flatMap(({ key, name, ...grave }) => {
        if (grave.sync !== sync || grave.side !== side || name === undefined) return [];
        return names.includes(name) ? [{ key, name }] : [];
      }),
    namelessCount: async (sync) =>
      stagedOf(sync).filter(({ link, state: now, name }) => {
        return link === undefined && now === "present" && name === undefined;
      }).length,
    linkStaged: async (lease, links) => {
      checkFence(home, lease);
      const { sync } = lease;
      for (const { side, key, link } of links) {
        const id = joined(sync, side, key);
        const record = state.staged.get(id);
        if (record !== undefined) state.staged.set(id, { ...record, link });
      }
    },
    reserveLinks: async (_sync, count) => {
      const first = state.nextLink;
      state.nextLink += count;
      return first;
    },
    candidates: async (sync, after, limit) => candidatesOf(state, sync, after, limit),
  };
}

function matchGroup(
  state: AgreementState,
  sync: string,
  name: string,
  records: readonly KeptStaged[],
): MatchGroup {
  const staged = records.map(({ side, key }) => ({ side, key }));
  const named = [...state.links.values()].filter(
    (kept) => kept.sync === sync && kept.name === name,
  );
  const isGone = (side: string, key: string): boolean =>
    state.staged.get(joined(sync, side, key))?.state === "gone";
  const links = named
    .sort((a, b) => a.link - b.link)
    .map((link) => ({
      link: link.link,
      sides: Object.entries(storedLink(state, link).sides)
        .filter(([side, { key }]) => !isGone(side, key))
        .map(([side]) => side)
        .sort(),
    }));
  return { name, staged, links };
}

function candidatesOf(
  state: AgreementState,
  sync: string,
  after: LinkId,
  limit: number,
): readonly MergeCandidate[] {
  const staged = new Map<LinkId, StagedRecord[]>();
  for (const record of state.staged.values()) {
    if (record.sync !== sync || record.link === undefined) continue;
    const { sync: _sync, values, ...rest } = record;
    const list = staged.get(record.link) ?? [];
    staged.set(record.link, [...list, { ...rest, values: valuesFromText(values) }]);
  }
  const behind = [...state.links.values()].filter((kept) => kept.sync === sync && kept.behind);
  const asked = [...state.conflicts.values()].filter((conflict) => conflict.sync === sync);
  const links = new Set([...staged.keys(), ...[...behind, ...asked].map(({ link }) => link)]);
  return [...links]
    .filter((link) => link > after)
    .sort((a, b) => a - b)
    .slice(0, limit)
    .map((link) => {
      const kept = state.links.get(idOfLink(sync, link));
      return {
        link,
        ...(kept === undefined ? {} : { stored: storedLink(state, kept) }),
        staged: staged.get(link) ?? [],
      };
    });
}
