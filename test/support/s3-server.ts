import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server on loopback that speaks S3, with one bucket. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  close(): Promise<void>;
}

interface RunningServer {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

/**
 * Starts it on a folder of its own, which goes with it. It computes the signature of requests to a
 * bucket itself without the slash at the end that the client signs; so it takes other signatures
 * too, unless it is strict: then objects can be put and read, but not listed.
 */
export async function startS3Server({ isStrict = false } = {}): Promise<S3Server> {
  const require = createRequire(import.meta.url);
  // It brings no types.
  const Server = require("@20minutes/s3rver") as new (options: object) => RunningServer;
  const directory = mkdtempSync(join(tmpdir(), "lockstep-s3-"));
  const bucket = "photos";
  const server = new Server({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    allowMismatchedSignatures: !isStrict,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    accessKey: "S3RVER",
    secretKey: "S3RVER",
    close: async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
