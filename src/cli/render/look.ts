import { createStyle, type Style } from "./style.ts";
import { createTimes, type Times } from "./times.ts";

/** How and when something is drawn: everything a renderer knows beside its subject. */
export interface Look {
  readonly style: Style;
  readonly times: Times;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly columns: number;
}

export interface LookOptions {
  readonly isColoured: boolean;
  readonly timeZone: string;
  readonly now: number;
  readonly columns: number;
}

export function createLook(options: LookOptions): Look {
  return {
    style: createStyle(options.isColoured),
    times: createTimes(options.timeZone),
    now: options.now,
    columns: options.columns,
  };
}
