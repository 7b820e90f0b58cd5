/** A finished answer, before it is sent. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const JSON_TYPE = "application/json;odata.metadata=minimal;charset=utf-8";

/** An answer of serialised JSON. */
export function jsonAnswer(
  status: number,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, contentType: JSON_TYPE, body: Buffer.from(body), headers };
}

/** An answer of another type. */
export function textAnswer(contentType: string, body: string): Answer {
  return { status: 200, contentType, body: Buffer.from(body), headers: {} };
}

/** An error in the form the real server is known to use. */
export function errorAnswer(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer(status, JSON.stringify({ error: { message } }), headers);
}
