import type { NavigationDefinition, PropertyDefinition } from "./model.ts";
import type { SampleBehavior } from "./options.ts";
import type { QueryOptions } from "./query-options.ts";
import { RowWriter } from "./row-writer.ts";
import type { Store } from "./store.ts";
import type { Table } from "./table.ts";

/** What of a row is sent. */
export type Projection = Pick<QueryOptions, "select" | "expand">;

/** One page of an answer, before it is written. */
export interface PageBody {
  readonly context: string;
  readonly count: number | undefined;
  readonly rows: readonly Buffer[];
  readonly nextLink: string | undefined;
}

/** Writes rows as JSON. Whole rows are kept serialised; projected and expanded ones are not. */
export class Renderer {
  readonly #store: Store;
  readonly #behavior: SampleBehavior;
  readonly #writers: Map<string, RowWriter> = new Map();

  constructor(store: Store, behavior: SampleBehavior) {
    this.#store = store;
    this.#behavior = behavior;
  }

  /** Rows with what they were asked to contain. */
  rows(table: Table, slots: readonly number[], projection: Projection): Buffer[] {
    const writer = this.#writer(table, projection.select);
    return slots.map((slot) => {
      const row =
        projection.select === undefined
          ? table.cache.get(slot, (each) => writer.write(each))
          : Buffer.from(writer.write(slot));
      return this.#expanded(row, table, slot, projection);
    });
  }

  #expanded(row: Buffer, table: Table, slot: number, projection: Projection): Buffer {
    if (projection.expand.length === 0) {
      return row;
    }
    const parts = [row.subarray(0, row.length - 1)];
    for (const navigation of projection.expand) {
      const target = this.#store.table(navigation.target);
      const slots = this.related(table, slot, navigation);
      const related = this.rows(target, slots, { select: undefined, expand: [] });
      const comma = row.length > 2 || parts.length > 1 ? "," : "";
      parts.push(Buffer.from(`${comma}"${navigation.name}":[`), ...separate(related));
      parts.push(Buffer.from("]"));
    }
    parts.push(Buffer.from("}"));
    return Buffer.concat(parts);
  }

  /** Visible rows that a navigation leads to. */
  related(table: Table, slot: number, navigation: NavigationDefinition): number[] {
    const target = this.#store.table(navigation.target);
    if (table.source.links !== undefined) {
      const parent = table.source.links.parentOf(slot);
      return target.state(parent) === "visible" ? [parent] : [];
    }
    if (target.source.links !== undefined) {
      return this.#store.children(navigation.target, slot);
    }
    const reference = REFERENCES[`${table.entity.name}.${navigation.target}`] ?? "";
    const other = target.find(table.reader(reference)(slot) as number);
    return other !== undefined && target.state(other) === "visible" ? [other] : [];
  }

  #writer(table: Table, select: readonly PropertyDefinition[] | undefined): RowWriter {
    const { lookups, odataIdOnSelect } = this.#behavior;
    const name = `${table.entity.name} ${lookups}`;
    const held = select === undefined ? this.#writers.get(name) : undefined;
    if (held !== undefined) {
      return held;
    }
    const writer = new RowWriter(table, this.#store.wire, lookups, {
      properties: select ?? table.entity.properties,
      hasId: select === undefined || odataIdOnSelect,
    });
    if (select === undefined) {
      this.#writers.set(name, writer);
    }
    return writer;
  }
}

/** The property that holds the key of the row a navigation leads to. */
const REFERENCES: Readonly<Record<string, string>> = {
  "Property.Member": "ListAgentKeyNumeric",
  "Property.Office": "ListOfficeKeyNumeric",
  "Member.Office": "OfficeKeyNumeric",
};

/** Writes a page in the form of WFRMLS, or with the link first. */
export function renderPage(page: PageBody, nextLinkFirst: boolean): Buffer {
  const head = [`"@odata.context":${JSON.stringify(page.context)}`];
  if (page.count !== undefined) {
    head.push(`"@odata.count":${page.count}`);
  }
  const link =
    page.nextLink === undefined ? [] : [`"@odata.nextLink":${JSON.stringify(page.nextLink)}`];
  if (nextLinkFirst) {
    head.push(...link);
  }
  const tail = nextLinkFirst ? [] : link;
  return Buffer.concat([
    Buffer.from(`{${head.join(",")},"value":[`),
    ...separate(page.rows),
    Buffer.from(["]", ...tail].join(",").concat("}")),
  ]);
}

const COMMA = Buffer.from(",");

function separate(rows: readonly Buffer[]): Buffer[] {
  return rows.flatMap((row, index) => (index === 0 ? [row] : [COMMA, row]));
}
