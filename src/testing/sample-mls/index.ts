import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SampleControl } from "./control.ts";
import { CONTROL_PATH, handleControl } from "./control-http.ts";
import { HttpHandler, SERVICE_PATH } from "./http-handler.ts";
import { PHOTOS_PATH } from "./media-files.ts";
import { ODataService } from "./odata-service.ts";
import type { SampleMlsOptions } from "./options.ts";
import { createServerState } from "./server-state.ts";
import type { TruthRecord } from "./store.ts";
import { handleToken, TOKEN_PATH } from "./token-http.ts";

export type { SampleControl } from "./control.ts";
export type { FaultKind, FaultRequest } from "./faults.ts";
export type { LiveDay, LiveRequest } from "./live-day.ts";
export type {
  SampleBehavior,
  SampleData,
  SampleFileSettings,
  SampleGrant,
  SampleMlsOptions,
  SampleVendor,
} from "./options.ts";
export type { SampleStats } from "./stats.ts";
export type { TruthRecord } from "./store.ts";

/** A running sample MLS. */
export interface SampleMls {
  /** The service root, `http://127.0.0.1:PORT/reso/odata`. */
  readonly url: string;
  /** Where the control is served: `http://127.0.0.1:PORT/control`. */
  readonly controlUrl: string;
  /** The token endpoint, `http://127.0.0.1:PORT/oauth/token`; answers 404 unless `oauth` is set. */
  readonly tokenUrl: string;
  /** The token that works at present; empty when there is none. */
  readonly token: string;
  readonly control: SampleControl;
  /** The visible records of an entity set in key order, straight from the store. */
  truth(set: string): Iterable<TruthRecord>;
  /** The bytes of a media row's picture, where the server has `files` and the row is visible. */
  picture(mediaKey: string): Buffer | undefined;
  /** Number of visible records of an entity set. */
  count(set: string): number;
  /** Stops the server and closes all connections; calling it again does nothing. */
  close(): Promise<void>;
}

/**
 * Starts a RESO Web API server on loopback that behaves as WFRMLS does, with generated data.
 * All data follow from the seed; records are computed when they are asked for, so that a million
 * listings fit in little memory.
 */
export async function startSampleMls(options: SampleMlsOptions = {}): Promise<SampleMls> {
  const state = createServerState(options);
  const control = new SampleControl(state);
  const closing = new AbortController();
  const server = createServer();
  // A client closes idle connections by itself: where both do, a request can meet the closing.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const service = new ODataService(state, `${origin}${SERVICE_PATH}`);
  const handler = new HttpHandler(state, service, closing.signal);
  server.on("request", (request, response) => {
    const handled =
      request.url === TOKEN_PATH
        ? handleToken(state, request, response)
        : state.files !== undefined && request.url?.startsWith(PHOTOS_PATH)
          ? state.files.handle(request, response)
          : request.url?.startsWith(CONTROL_PATH)
            ? handleControl(state, control, request, response)
            : handler.handle(request, response);
    // Only a close or a broken connection ends here; every refusal has been answered.
    handled.catch(() => response.destroy());
  });
  let closed: Promise<void> | undefined;
  return {
    url: `${origin}${SERVICE_PATH}`,
    controlUrl: `${origin}${CONTROL_PATH.slice(0, -1)}`,
    tokenUrl: `${origin}${TOKEN_PATH}`,
    get token(): string {
      return state.auth.token;
    },
    control,
    truth: (set) => state.store.truth(set, state.behavior.lookups),
    picture: (mediaKey) => state.files?.content(mediaKey),
    count: (set) => state.store.table(set).visibleRows,
    close: () => {
      closed ??= new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}
