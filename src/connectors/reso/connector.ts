import type { Connector } from "../../ports/connector.ts";
import { createOdataConnector, type OdataPorts } from "../odata/connector.ts";
import { profileOf, type ResoConfig, resolveResoSettings } from "./config.ts";

/** Set whose presence in `$metadata` shows that the server tells of events. */
const EVENTS = "EntityEvent";

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
      const hasEvents = streams.some((stream) => stream.name === EVENTS);
      return {
        summary: `${summary}, profile ${name}`,
        facts: [
          ...facts,
          `${EVENTS}: ${hasEvents ? "offered" : "not offered"}, not used`,
          ...unconfirmed.map((what) => `not confirmed for ${name}: ${what}`),
        ],
      };
    },
  };
}
