export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A whole answer. Header names are lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Bytes of the body as it came over the wire. */
  readonly bytes: number;
}

/**
 * Sends one request and reads its whole answer; any status is an answer. Throws
 * CONNECTOR_UNREACHABLE, CONNECTOR_TIMEOUT, or the signal's reason. Limits and meters are
 * decorators of this port.
 */
export interface HttpTransport {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}
