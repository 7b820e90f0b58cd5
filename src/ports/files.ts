/** What a store holds of a file that was put into it. */
export interface StoredFile {
  readonly size: number;
  /** SHA-256 of the content, in hexadecimal digits. */
  readonly hash: string;
}

/**
 * A place for files. Names are parts of letters, digits, `.`, `_`, `-`, `%` and `=`, separated by
 * `/`; no part is `.` or `..`.
 *
 * What holds, and the kit checks: a file is there whole or not at all, whatever ends the process;
 * `put` reads the content once, and what it gives was verified against what is stored; a put that
 * fails or is aborted leaves at most what `clear` takes away. Throws FILE_STORE_REFUSED,
 * FILE_STORE_UNREACHABLE, or what the content threw.
 */
export interface FileStore {
  /** For people; holds no secret. */
  readonly location: string;
  /** Whether files can be kept here, as far as can be told without writing; throws when not. */
  check(signal: AbortSignal): Promise<void>;
  put(
    path: string,
    content: AsyncIterable<Uint8Array>,
    about: { readonly contentType: string },
    signal: AbortSignal,
  ): Promise<StoredFile>;
  /** Size in bytes; undefined when there is no such file. */
  size(path: string): Promise<number | undefined>;
  read(path: string): AsyncIterable<Uint8Array>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  /**
   * Removes everything below the folder `prefix` that is not kept, unfinished puts included; gives
   * the number of files removed.
   */
  clear(prefix: string, keep: ReadonlySet<string>): Promise<number>;
  close(): Promise<void>;
}

/** An answer whose body is still to be read. Header names are lower case. */
export interface FileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Ends normally only when all of it came. Throws CONNECTOR_UNREACHABLE or CONNECTOR_TIMEOUT.
   * A body that is left before its end is given up.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up a body that is not read at all. */
  discard(): void;
}

/** Where files are fetched from; any status is an answer. */
export interface FileSource {
  /** Throws CONNECTOR_UNREACHABLE, CONNECTOR_TIMEOUT, or the signal's reason. */
  open(url: string, signal: AbortSignal): Promise<FileAnswer>;
  close(): Promise<void>;
}
