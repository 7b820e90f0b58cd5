import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { SyncError } from "../model/sync-error.ts";
import type { Secrets } from "../ports/runtime.ts";

const REFERENCE_PATTERN = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;

/** True when the text is a reference to a secret, `env:NAME` or `file:PATH`, and not the secret. */
export function isSecretReference(text: string): boolean {
  return REFERENCE_PATTERN.test(text);
}

/**
 * Resolves `env:NAME` from `env` and `file:PATH` relative to `directory`. Blanks around the secret
 * (a file's last line break) are no part of it. Throws SECRET_MISSING, which names the place and
 * never the value.
 */
export function createSecrets(
  env: Readonly<Record<string, string | undefined>>,
  directory: string,
): Secrets {
  return {
    resolve: (reference) => {
      if (!isSecretReference(reference)) {
        throw new SyncError(
          "CONFIG_INVALID",
          "A secret is not a reference; allowed: env:NAME, file:PATH.",
        );
      }
      const place = reference.slice(reference.indexOf(":") + 1);
      const secret = reference.startsWith("env:")
        ? fromEnvironment(env, place)
        : fromFile(resolve(directory, place));
      if (/[\r\n]/.test(secret)) {
        throw new SyncError(
          "SECRET_MISSING",
          `The secret at "${reference}" has more than one line.`,
          {
            hint: "Keep nothing but the secret there, on one line.",
          },
        );
      }
      return secret;
    },
  };
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const secret = env[name]?.trim();
  if (secret) return secret;
  const state = env[name] === undefined ? "is not set" : "is empty";
  throw new SyncError("SECRET_MISSING", `The environment variable "${name}" ${state}.`, {
    hint: `Set it, for example with \`export ${name}=…\`, then run again.`,
  });
}

function fromFile(path: string): string {
  const text = readSecretFile(path).trim();
  if (text) return text;
  throw new SyncError("SECRET_MISSING", `The secret file "${path}" is empty.`, {
    hint: "Write the secret into it, and nothing else.",
  });
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): SyncError {
  return new SyncError("SECRET_MISSING", `The secret file "${path}" cannot be read.`, {
    hint: "Create the file with nothing but the secret in it, readable by you alone.",
    cause,
  });
}
