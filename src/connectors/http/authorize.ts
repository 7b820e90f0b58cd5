import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "../../ports/http.ts";
import type { Clock } from "../../ports/runtime.ts";
import { errorOfStatus, isHtml } from "./vendor-errors.ts";

/** How a token is asked for (OAuth 2). All texts are resolved; none may stand in a message. */
export interface TokenGrant {
  readonly kind: "client_credentials" | "password";
  /** Address of the token endpoint; https, or http on loopback. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
  /** For `password`. */
  readonly username?: string;
  readonly password?: string;
}

interface HeldToken {
  readonly text: string;
  /** Epoch milliseconds from which another one is asked for. */
  readonly renewAt: number;
}

/** So long before its end a token is renewed, but never in the first half of its life. */
const RENEW_EARLY_MS = 60_000;
/** RFC 6749 leaves the lifetime out when it is told elsewhere. */
const LIFETIME_DEFAULT_S = 3600;
const MASK = "***";

/** The texts of a grant that no message may hold. */
export function secretsOf(grant: TokenGrant): readonly string[] {
  return [grant.clientSecret, grant.password, grant.username].filter((text) => text !== undefined);
}

/**
 * A transport that puts a bearer token on every request, asks for one when there is none or it is
 * about to end, and, when a request is answered with 401, asks for a fresh one and sends that
 * request once more. Requests that meet meanwhile wait for one and the same renewal.
 *
 * Throws CONNECTOR_UNAUTHORIZED when the token endpoint refuses, what `errorOfStatus` says for its
 * other answers, and whatever the transport throws. A token never stands in an answer with an error.
 */
export function authorizeHttp(
  transport: HttpTransport,
  grant: TokenGrant,
  clock: Clock,
): HttpTransport {
  let held: HeldToken | undefined;
  let asking: Promise<HeldToken> | undefined;

  const renewed = (signal: AbortSignal): Promise<HeldToken> => {
    asking ??= askForToken(transport, grant, clock, signal)
      .then((token) => {
        held = token;
        return token;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  const tokenFor = async (signal: AbortSignal): Promise<HeldToken> => {
    if (held !== undefined && clock.now() < held.renewAt) return held;
    try {
      return await renewed(signal);
    } catch (error) {
      // The renewal that was waited for may have been stopped by another request's signal.
      if (signal.aborted || isSyncError(error)) throw error;
      return renewed(signal);
    }
  };
  const sendWith = async (
    { text }: HeldToken,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpResponse> => {
    const headers = { ...request.headers, authorization: `Bearer ${text}` };
    const response = await transport.send({ ...request, headers }, signal);
    if (response.status < 300) return response;
    return { ...response, body: response.body.replaceAll(text, MASK) };
  };

  return {
    async send(request, signal) {
      const token = await tokenFor(signal);
      const response = await sendWith(token, request, signal);
      if (response.status !== 401) return response;
      if (held === token) held = undefined;
      return sendWith(await tokenFor(signal), request, signal);
    },
    close: () => transport.close(),
  };
}

async function askForToken(
  transport: HttpTransport,
  grant: TokenGrant,
  clock: Clock,
  signal: AbortSignal,
): Promise<HeldToken> {
  const askedAt = clock.now();
  const response = await transport.send(
    {
      method: "POST",
      url: grant.url,
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: formOf(grant),
    },
    signal,
  );
  if (response.status < 200 || response.status > 299) throw refused(response, grant, clock);
  const { access_token: text, expires_in: lifetime } = bodyOf(response);
  if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text)) throw unreadable(response, grant);
  const seconds = Number(lifetime ?? LIFETIME_DEFAULT_S);
  const lifeMs = (Number.isFinite(seconds) && seconds > 0 ? seconds : LIFETIME_DEFAULT_S) * 1000;
  return { text, renewAt: askedAt + Math.max(lifeMs - RENEW_EARLY_MS, lifeMs / 2) };
}

function formOf(grant: TokenGrant): string {
  const { kind, clientId, clientSecret, scope, username, password } = grant;
  const form = new URLSearchParams({
    grant_type: kind,
    client_id: clientId,
    client_secret: clientSecret,
  });
  for (const [name, value] of Object.entries({ scope, username, password })) {
    if (value !== undefined) form.set(name, value);
  }
  return form.toString();
}

/** 400 is what RFC 6749 has for wrong credentials of a grant. */
function refused(response: HttpResponse, grant: TokenGrant, clock: Clock): SyncError {
  const status = response.status === 400 ? 401 : response.status;
  const asked = {
    url: grant.url,
    what: `the token endpoint at ${new URL(grant.url).host}`,
    secrets: secretsOf(grant),
    nowMs: clock.now(),
  };
  return errorOfStatus({ ...response, status }, asked);
}

function unreadable(response: HttpResponse, grant: TokenGrant): SyncError {
  const what = isHtml(response) ? "a web page" : "no JSON object with a usable access_token";
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The token endpoint at ${new URL(grant.url).host} answered with ${what}.`,
    { context: { url: grant.url, status: response.status }, hint: "Correct `tokenUrl`." },
  );
}

function bodyOf(response: HttpResponse): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(response.body);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
