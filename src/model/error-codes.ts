import { ACCESS_CODES } from "./access-codes.ts";
import { RECORD_CODES } from "./record-codes.ts";
import { STORAGE_CODES } from "./storage-codes.ts";

/**
 * Every error code with its cause and remedy: the one source of `docs/errors.md`, exit codes and
 * the engine's reaction. Codes are stable; a message may change.
 */
export const ERROR_CODES = { ...ACCESS_CODES, ...RECORD_CODES, ...STORAGE_CODES } as const;

export type ErrorCode = keyof typeof ERROR_CODES;
