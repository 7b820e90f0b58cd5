import { z } from "zod";

/** True for an address on this machine. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

function isServiceRoot(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  const isSafe = protocol === "https:" || (protocol === "http:" && isLoopback(text));
  return isSafe && username === "" && password === "" && search === "" && hash === "";
}

/** An address of a service root: https (http on loopback only), no user, no query. */
export const serviceUrl: z.ZodType<string> = z
  .string()
  .refine(isServiceRoot, "must be an https URL without user name or query (http only on loopback)");
