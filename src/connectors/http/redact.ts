const MASK = "***";

/** Names of URL parameters whose values are shown to nobody. */
const SECRET_PARAMETER =
  /([?&;](?:[^=&;#\s]*(?:token|secret|password|passwd|signature|credential|apikey|api_key|api-key)[^=&;#\s]*|key|sig|code|auth)=)[^&;#\s"'<>]*/gi;
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/?#\s@"'<>]+@/gi;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/gi;

/**
 * The text without the given secrets (plain or as a URL writes them), without credentials in URLs
 * and without anything that follows `Bearer`. For messages, which people share.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === "") continue;
    clean = clean.replaceAll(secret, MASK).replaceAll(encodeURIComponent(secret), MASK);
  }
  return clean
    .replace(BEARER, `$1 ${MASK}`)
    .replace(USER_INFO, `$1${MASK}@`)
    .replace(SECRET_PARAMETER, `$1${MASK}`);
}
