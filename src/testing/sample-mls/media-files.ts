import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "./clock.ts";
import type { FaultRequest, Faults } from "./faults.ts";
import type { SampleFileSettings } from "./options.ts";
import type { StatsCounter } from "./stats.ts";
import type { Store } from "./store.ts";

/** Path under which photos are served. */
export const PHOTOS_PATH = "/photos/";

/** Where generated rows say that their photos are. */
const ELSEWHERE = "https://assets.example.com/photos/";

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly counter: StatsCounter;
  readonly token: () => string;
}

/**
 * Serves a picture for each media row. Its bytes follow from the row's key and its
 * MediaModificationTimestamp, so an edit of that time changes the picture.
 */
export class SampleFiles {
  settings: SampleFileSettings;
  readonly #parts: Parts;
  readonly #used: Set<string> = new Set();
  #signatures = 0;

  constructor(parts: Parts, settings: SampleFileSettings) {
    this.#parts = parts;
    this.settings = settings;
  }

  /** The bytes of a visible media row's picture. */
  content(key: string): Buffer | undefined {
    const media = this.#parts.store.table("Media");
    const slot = media.find(key);
    if (slot === undefined || media.state(slot) !== "visible") return undefined;
    const version = String(media.reader("MediaModificationTimestamp")(slot));
    const seed = createHash("sha512").update(`${key} ${version}`).digest();
    const head = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46, 0]);
    const body = Array.from({ length: 4 + ((seed[0] ?? 0) % 60) }, () => seed);
    return Buffer.concat([head, ...body, Buffer.from([0xff, 0xd9])]);
  }

  /** A body of the service with addresses that lead here. */
  rewrite(body: Buffer, origin: string): Buffer {
    let text = body.toString();
    if (this.settings.emptyExpansions === true) {
      text = text.replace(/"Media":\[(?:[^[\]]|\[[^[\]]*\])*\]/g, '"Media":[]');
    }
    if (!text.includes(ELSEWHERE)) return Buffer.from(text);
    return Buffer.from(
      text.replace(/https:\/\/assets\.example\.com(\/photos\/[^"]+)/g, (_, path: string) => {
        return `${origin}${path}${this.#signature()}`;
      }),
    );
  }

  #signature(): string {
    const { singleUse, validMs } = this.settings;
    if (singleUse !== true && validMs === undefined) return "";
    this.#signatures += 1;
    const until = this.#parts.clock.nowMs() + (validMs ?? 3_600_000);
    return `?signature=s3cret-${this.#signatures}&until=${until}`;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const target = decodeURIComponent(path);
    const { faults, counter } = this.#parts;
    counter.request(PHOTOS_PATH, target);
    const fault = faults.take(target);
    if (fault?.kind === "hang" || fault?.kind === "reset") {
      counter.response(fault.kind, 0);
      if (fault.kind === "reset") request.socket.resetAndDestroy();
      return;
    }
    const refusal = this.#refusal(request, query) ?? faultAnswer(fault);
    const content = this.content(target.slice(target.lastIndexOf("/") + 1));
    if (refusal !== undefined) this.#send(response, refusal, false);
    else if (content === undefined) this.#send(response, MISSING, false);
    else
      this.#send(
        response,
        { status: 200, type: "image/jpeg", body: content },
        fault?.kind === "cut",
      );
  }

  #refusal(request: IncomingMessage, query: string): FileAnswer | undefined {
    const { singleUse, validMs, tokenIn } = this.settings;
    const token = this.#parts.token();
    const shown = tokenIn === undefined ? token : String(request.headers[tokenIn] ?? "");
    if (shown.replace(/^Bearer /, "") !== token) return refused(401, "no token");
    if (singleUse !== true && validMs === undefined) return undefined;
    const until = Number(new URLSearchParams(query).get("until") ?? 0);
    if (until < this.#parts.clock.nowMs()) return refused(403, "the signature has expired");
    if (singleUse === true && this.#used.has(query)) return refused(429, "used before");
    this.#used.add(query);
    return undefined;
  }

  #send(response: ServerResponse, { status, type, body }: FileAnswer, isCut: boolean): void {
    const half = body.subarray(0, body.length >> 1);
    this.#parts.counter.response(status, isCut ? half.length : body.length);
    const length = this.settings.isChunked === true ? {} : { "Content-Length": body.length };
    response.writeHead(status, { "Content-Type": type, ...length });
    if (isCut) response.write(half, () => response.destroy());
    else response.end(body);
  }
}

interface FileAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

function refused(status: number, message: string): FileAnswer {
  return { status, type: "application/json", body: Buffer.from(JSON.stringify({ message })) };
}

const MISSING = refused(404, "no such picture");

function faultAnswer(fault: FaultRequest | undefined): FileAnswer | undefined {
  switch (fault?.kind) {
    case "status":
      return refused(fault.status ?? 500, "the file server had trouble");
    case "html":
      return { status: 200, type: "text/html", body: Buffer.from("<!doctype html><p>Soon</p>") };
    case "error-body":
      return { status: 200, type: "image/jpeg", body: Buffer.from('{"error":"no picture"}') };
    case "empty-page":
      return { status: 200, type: "image/jpeg", body: Buffer.alloc(0) };
    default:
      return undefined;
  }
}
