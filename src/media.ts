import type { SyncConfig, SystemConfig } from "./config/resolve-config.ts";
import type { MediaAccess } from "./config/resolve-media.ts";
import type { ConnectorEntry, Settings } from "./connectors/registry.ts";
import { quotaMemory } from "./core/quota.ts";
import { limitFiles } from "./decorators/limit-files.ts";
import { limitHttp } from "./decorators/limit-http.ts";
import type { MediaParts } from "./engine/context.ts";
import type { EmitEvent } from "./model/events.ts";
import { filesStream, type MediaSpec } from "./model/media.ts";
import { SyncError } from "./model/sync-error.ts";
import type { FileStore } from "./ports/files.ts";
import type { Home } from "./ports/home.ts";
import type { Clock } from "./ports/runtime.ts";
import { limitsOf } from "./transport.ts";

/** What the files of one sync are opened with. Part of the composition root. */
export interface MediaOpening {
  readonly sync: SyncConfig;
  readonly system: SystemConfig;
  readonly entry: ConnectorEntry;
  /** The system's settings with secrets resolved. */
  readonly settings: Settings;
  /** Resolves a reference; its error names the setting. */
  readonly secret: (reference: string, setting: string) => string;
  readonly home: Home;
  readonly clock: Clock;
  readonly emit: EmitEvent;
}

/** The name under which a sync's file quota is kept and shown. */
export const fileQuotaOf = ({ name }: Pick<SyncConfig, "name">): string => `${name}/files`;

/** Opens where files come from, under limits of their own, and where they are kept. */
export async function openMedia(opening: MediaOpening): Promise<MediaParts> {
  const { sync, home, clock, emit } = opening;
  const { media } = sync.spec;
  if (media === undefined || sync.media === undefined) {
    throw new SyncError("INTERNAL", `The sync "${sync.name}" keeps no files.`);
  }
  const store = await openStore(media, sync.media, opening);
  const { createHttpSource } = await import("./drivers/files/http-source.ts");
  const headers = await tokenHeaders(sync.media, opening);
  const source = createHttpSource({
    timeoutMs: sync.media.timeoutMs,
    connections: media.concurrency,
    ...(headers === undefined ? {} : { headers }),
  });
  const stream = filesStream(media);
  const limited = limitFiles(source, (inner) =>
    limitHttp(inner, {
      limits: limitsOf(sync.media?.budget ?? {}),
      clock,
      memory: home.memory(quotaMemory(fileQuotaOf(sync))),
      onWait: ({ reason, untilMs }) =>
        emit({ kind: "wait", at: clock.now(), stream, reason, untilMs, attempt: 1 }),
    }),
  );
  return { source: limited, store };
}

async function openStore(
  { to }: MediaSpec,
  { s3 }: MediaAccess,
  { sync, secret }: MediaOpening,
): Promise<FileStore> {
  if (to.kind === "folder") {
    const { createFolderStore } = await import("./drivers/files/folder-store.ts");
    return createFolderStore(to.path);
  }
  const { createS3Store } = await import("./drivers/files/s3-store.ts");
  const { endpoint, region, pathStyle } = s3;
  const keys = (["accessKey", "secretKey", "sessionToken"] as const).flatMap((key) => {
    const reference = s3[key];
    if (reference === undefined) return [];
    return [[key, secret(reference, `syncs.${sync.name}.media.s3.${key}`)]];
  });
  return createS3Store({
    bucket: to.bucket,
    prefix: to.prefix,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
    ...Object.fromEntries(keys),
  });
}

type Headers = (url: URL, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;

/** The token goes to the service's own host and to those that were named, and only over TLS. */
async function tokenHeaders(
  { token: { use, hosts } }: MediaAccess,
  { entry, settings, clock, system }: MediaOpening,
): Promise<Headers | undefined> {
  if (use === "never") return undefined;
  const service = entry.service?.(settings);
  if (service === undefined) {
    throw new SyncError("CONFIG_INVALID", `The system "${system.name}" has no token for files.`, {
      hint: "Write `sendToken: never`.",
    });
  }
  const own = new URL(service.url);
  const sees = ({ host, protocol, hostname }: URL): boolean =>
    (host === own.host && protocol === own.protocol) ||
    (protocol === "https:" && hosts.includes(hostname));
  const { token, grant } = service;
  const tokenOf =
    grant === undefined ? async () => token : await grantedToken(grant, clock, own.origin);
  return async (url, signal) => {
    const text = sees(url) ? await tokenOf(signal) : undefined;
    if (text === undefined) return {};
    return use === "bearer" ? { authorization: `Bearer ${text}` } : { "user-agent": text };
  };
}

type Grant = NonNullable<ReturnType<NonNullable<ConnectorEntry["service"]>>["grant"]>;

/** Asks for tokens by a grant, as the connector does, and renews them in time. */
async function grantedToken(
  grant: Grant,
  clock: Clock,
  origin: string,
): Promise<(signal: AbortSignal) => Promise<string | undefined>> {
  const { authorizeHttp } = await import("./connectors/http/authorize.ts");
  const { createUndiciTransport } = await import("./connectors/http/undici-transport.ts");
  const http = createUndiciTransport({ connections: 1 });
  let header: string | undefined;
  const authorized = authorizeHttp(
    {
      async send(request, signal) {
        if (request.url === grant.url) return http.send(request, signal);
        // Only its header is wanted: the file itself is asked for elsewhere.
        header = request.headers["authorization"];
        return { status: 200, headers: {}, body: "", bytes: 0 };
      },
      close: () => http.close(),
    },
    grant,
    clock,
  );
  return async (signal) => {
    await authorized.send({ method: "GET", url: origin, headers: {} }, signal);
    return header?.replace(/^Bearer /, "");
  };
}
