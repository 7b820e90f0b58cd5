import type { Connector } from "../../ports/connector.ts";

/** One way of being wrong, and the behaviour that must find it. */
export interface Breach {
  readonly name: string;
  readonly foundBy: string;
  readonly breaks: (connector: Connector) => Connector;
}
