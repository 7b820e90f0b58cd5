import type { Editor } from "./editor.ts";
import type { Draw } from "./hash.ts";
import { createDraw, pick } from "./hash.ts";
import { decimalText } from "./numbers.ts";
import type { Store } from "./store.ts";
import type { Table } from "./table.ts";

/** What a day in the life of the MLS changed, by listing key. */
export interface LiveDay {
  readonly prices: readonly number[];
  readonly statuses: readonly {
    readonly key: number;
    readonly from: string;
    readonly to: string;
  }[];
  readonly remarks: readonly number[];
  readonly photos: readonly number[];
  readonly openHouses: readonly number[];
  readonly added: readonly number[];
  readonly deleted: readonly number[];
  readonly hidden: readonly number[];
  readonly unhidden: readonly number[];
}

/** Which day, and how much happens in it. */
export interface LiveRequest {
  /** The number of the day; the same number on the same data does the same. */
  readonly step: number;
  /** Number of edits. Default 40. */
  readonly edits?: number;
}

const NEXT_STATUS: Readonly<Record<string, readonly string[]>> = {
  Active: ["Pending", "Pending", "Pending", "Withdrawn", "Expired", "Active Under Contract"],
  ActiveUnderContract: ["Pending", "Active"],
  Pending: ["Closed", "Closed", "Closed", "Active"],
  Withdrawn: ["Active"],
  Expired: ["Active"],
};

const TRIES_MAX = 200;

type Mutable<T> = {
  -readonly [Name in keyof T]: T[Name] extends readonly (infer E)[] ? E[] : never;
};

/** Performs a day of edits: mostly prices and statuses, and a few of everything else. */
export class LiveDays {
  readonly #store: Store;
  readonly #editor: Editor;
  readonly #draw: Draw;
  readonly #hidden: number[] = [];

  constructor(store: Store, editor: Editor) {
    this.#store = store;
    this.#editor = editor;
    this.#draw = createDraw(store.data.seed, "live");
  }

  run(request: LiveRequest): LiveDay {
    const day: Mutable<LiveDay> = {
      prices: [],
      statuses: [],
      remarks: [],
      photos: [],
      openHouses: [],
      added: [],
      deleted: [],
      hidden: [],
      unhidden: [],
    };
    for (let edit = 0; edit < (request.edits ?? 40); edit += 1) {
      let next = 0;
      this.#one(day, () => {
        next += 1;
        return this.#draw(request.step * 100_003 + edit, next);
      });
    }
    return day;
  }

  #one(day: Mutable<LiveDay>, random: () => number): void {
    const kind = random() % 20;
    const table = this.#store.table("Property");
    if (kind < 2) {
      day.added.push(this.#editor.add({ photos: random() % 4 }));
    }
    if (table.visibleRows === 0) {
      return;
    }
    const key = (): number => table.key(randomRow(table, random)) as number;
    if (kind >= 2 && kind < 8) {
      day.prices.push(this.#changePrice(table, random));
    } else if (kind >= 8 && kind < 14) {
      this.#changeStatus(day, table, random);
    } else if (kind === 14) {
      day.remarks.push(edited(key(), (each) => this.#rewrite(each, random)));
    } else if (kind === 15) {
      const action = pick(["add", "remove", "replace"] as const, random());
      day.photos.push(edited(key(), (listing) => this.#editor.changePhotos({ listing, action })));
    } else if (kind === 16) {
      day.openHouses.push(edited(key(), (listing) => this.#editor.addOpenHouse({ listing })));
    } else if (kind === 17) {
      day.deleted.push(edited(key(), (each) => this.#editor.delete({ key: each })));
    } else if (kind === 18) {
      day.hidden.push(edited(key(), (each) => this.#hide(each)));
    } else if (kind === 19) {
      this.#unhide(day);
    }
  }

  #changePrice(table: Table, random: () => number): number {
    const slot = randomRow(table, random, (each) => statusOf(table, each) === "Active");
    const price = Number(table.reader("ListPrice")(slot));
    const percent = pick([90, 95, 97, 98, 102], random());
    const ListPrice = decimalText(Math.round((price * percent) / 100) * 100, 2);
    const key = table.key(slot) as number;
    this.#editor.edit({ key, fields: { ListPrice } });
    return key;
  }

  #changeStatus(day: Mutable<LiveDay>, table: Table, random: () => number): void {
    const slot = randomRow(table, random, (each) => statusOf(table, each) in NEXT_STATUS);
    const from = statusOf(table, slot);
    const to = pick(NEXT_STATUS[from] ?? ["Active"], random());
    const key = table.key(slot) as number;
    const closing = to === "Closed" ? { ClosePrice: table.reader("ListPrice")(slot) } : {};
    this.#editor.edit({ key, fields: { StandardStatus: to, ...closing } });
    day.statuses.push({ key, from, to: statusOf(table, slot) });
  }

  #rewrite(key: number, random: () => number): void {
    const PublicRemarks = `Updated: a café nearby, № ${random() % 1_000}`;
    this.#editor.edit({ key, fields: { PublicRemarks } });
  }

  #hide(key: number): void {
    this.#editor.hide({ key });
    this.#hidden.push(key);
  }

  #unhide(day: Mutable<LiveDay>): void {
    const key = this.#hidden.shift();
    const table = this.#store.table("Property");
    // A test may have shown or deleted it meanwhile.
    if (key !== undefined && table.state(table.find(key) ?? -1) === "hidden") {
      this.#editor.unhide({ key });
      day.unhidden.push(key);
    }
  }
}

function edited(key: number, edit: (key: number) => unknown): number {
  edit(key);
  return key;
}

function statusOf(table: Table, slot: number): string {
  return String(table.reader("StandardStatus")(slot));
}

function randomRow(
  table: Table,
  random: () => number,
  isWanted: (slot: number) => boolean = () => true,
): number {
  const index = table.index("key");
  const draw = (): number => {
    let slot = index.at(random() % index.length);
    while (table.state(slot) !== "visible") {
      slot = index.at(random() % index.length);
    }
    return slot;
  };
  let slot = draw();
  for (let tries = 0; tries < TRIES_MAX && !isWanted(slot); tries += 1) {
    slot = draw();
  }
  return slot;
}
