import { hash } from "node:crypto";

/** Fingerprint of a text: equal texts have equal ones, and no two others are expected to. */
export function hashText(text: string): string {
  return hash("sha256", text, "base64url");
}
