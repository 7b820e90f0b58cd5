import type { Connector } from "../../ports/connector.ts";
import { createOdataConnector, type OdataPorts } from "../odata/connector.ts";
import { EVENT_SET } from "../odata/event-model.ts";
import { profileOf, type ResoConfig, resolveResoSettings } from "./config.ts";

/**
 * A connector for a RESO Web API: OData with what the configured profile knows of the MLS. `check`
 * also tells what of the profile was never confirmed against the live service.
 */
export function createResoConnector(config: ResoConfig, ports: OdataPorts): Connector {
  const { name, unconfirmed } = profileOf(config);
  const connector = createOdataConnector(resolveResoSettings(config), ports);
  return {
    ...connector,
    async check(signal) {
      const { summary, facts } = await connector.check(signal);
      const streams = await connector.discover(signal);
      const told = streams.filter(({ traits }) => traits.events).map((stream) => stream.name);
      const isOffered = streams.some((stream) => stream.name === EVENT_SET);
      const events =
        told.length > 0 ? `used for ${told.join(", ")}` : isOffered ? "not used" : "not offered";
      return {
        summary: `${summary}, profile ${name}`,
        facts: [
          ...facts,
          `${EVENT_SET}: ${events}`,
          ...unconfirmed.map((what) => `not confirmed for ${name}: ${what}`),
        ],
      };
    },
  };
}
