import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerState } from "./server-state.ts";

/** Path of the token endpoint. */
export const TOKEN_PATH = "/oauth/token";

const BODY_MAX = 64 * 1024;

/** Gives out tokens as RFC 6749 says, by client credentials or by a user's password. */
export async function handleToken(
  state: ServerState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = new URLSearchParams(await readForm(request));
  state.counter.request(TOKEN_PATH, `${TOKEN_PATH}?grant_type=${form.get("grant_type")}`);
  const fault = state.faults.take(TOKEN_PATH);
  if (fault !== undefined) {
    answer(state, response, fault.status ?? 500, { error: "server_error" });
    return;
  }
  const { oauth } = state;
  if (oauth === undefined || request.method !== "POST") {
    answer(state, response, 404, { error: "not_found" });
    return;
  }
  const isClient =
    form.get("client_id") === oauth.clientId && form.get("client_secret") === oauth.clientSecret;
  if (!isClient) {
    const error_description = `Unknown client ${form.get("client_id")} ${form.get("client_secret")}`;
    answer(state, response, 400, { error: "invalid_client", error_description });
    return;
  }
  const isUser =
    oauth.username !== undefined &&
    form.get("username") === oauth.username &&
    form.get("password") === oauth.password;
  const grant = form.get("grant_type");
  if (grant !== "client_credentials" && !(grant === "password" && isUser)) {
    answer(state, response, 400, { error: "invalid_grant" });
    return;
  }
  const expires_in = oauth.lifetimeSeconds ?? 3600;
  const access_token = state.auth.issue(state.clock.nowMs() + expires_in * 1000);
  answer(state, response, 200, { access_token, expires_in, token_type: "Bearer" });
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_MAX) {
      throw new RangeError("The form is too large.");
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function answer(
  state: ServerState,
  response: ServerResponse,
  status: number,
  body: Readonly<Record<string, unknown>>,
): void {
  const text = JSON.stringify(body);
  state.counter.response(status, Buffer.byteLength(text));
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(text);
}
