import type { ApiAnswer } from "./api.ts";
import { ApiError } from "./item-json.ts";
import type { InventoryAuth } from "./options.ts";

const TOKEN = "issued-token";

/** Lets a request in, and gives its parameters without the credential. Throws ApiError. */
export function admit(
  auth: InventoryAuth | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  parameters: URLSearchParams,
): URLSearchParams {
  const rest = new URLSearchParams(parameters);
  if (auth === undefined) return rest;
  if (auth.kind === "parameter") {
    const given = rest.get(auth.name);
    rest.delete(auth.name);
    if (given !== auth.key) throw refused(given);
    return rest;
  }
  const given =
    auth.kind === "header" ? headers[auth.name.toLowerCase()] : headers["authorization"];
  if (given !== expected(auth)) throw refused(given);
  return rest;
}

function expected(auth: Exclude<InventoryAuth, { readonly kind: "parameter" }>): string {
  if (auth.kind === "header") return auth.key;
  if (auth.kind === "basic") {
    return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
  }
  return `Bearer ${auth.kind === "oauth" ? TOKEN : auth.token}`;
}

/** The careless API repeats what it was given, so that those who ask must not repeat its words. */
const refused = (given: unknown): ApiError =>
  new ApiError(401, "UNAUTHORIZED", `The credential ${String(given)} is not known.`);

/** The token endpoint of OAuth2 client credentials. */
export function tokenAnswer(auth: InventoryAuth | undefined, body: string): ApiAnswer {
  const form = new URLSearchParams(body);
  const isKnown =
    auth?.kind === "oauth" &&
    form.get("grant_type") === "client_credentials" &&
    form.get("client_id") === auth.clientId &&
    form.get("client_secret") === auth.clientSecret;
  if (!isKnown) throw new ApiError(401, "invalid_client", "The client is not known.");
  return { status: 200, headers: {}, body: { access_token: TOKEN, expires_in: 3600 } };
}
