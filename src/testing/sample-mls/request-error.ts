/** A request the server refuses, with the status and the message of the answer. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "RequestError";
    this.status = status;
  }
}

/** The answer to a request that is wrong; the wording is the one known of the real server. */
export function badRequest(reason: string): RequestError {
  return new RequestError(400, `Bad request: ${reason}`);
}
