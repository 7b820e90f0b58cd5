const UNIT_MS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

/** A duration as people write it: `30s`, `10m`, `6h`, `7d`; several parts may follow one another. */
export const DURATION_PATTERN: RegExp = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;

/** A share as people write it: `10%`, `0.1%`. */
export const SHARE_PATTERN: RegExp = /^\d+(?:\.\d+)?%$/;

export const DURATION_EXPECTED = "a duration such as 30s, 10m, 6h or 7d";
export const SHARE_EXPECTED = "a share such as 10% or 0.1%";

/** Milliseconds of a duration, or nothing when the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return Math.round(total);
}

/** A size as people write it: `500KB`, `25MB`, `2GB`. */
export const SIZE_PATTERN: RegExp = /^\d+(?:\.\d+)? ?(?:B|KB|MB|GB)$/i;
export const SIZE_EXPECTED = "a size such as 500KB, 25MB or 2GB";

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Bytes of a size, or nothing when the text is not one. */
export function parseSize(text: string): number | undefined {
  if (!SIZE_PATTERN.test(text)) return undefined;
  const unit = /[A-Z]+$/i.exec(text)?.[0].toUpperCase() ?? "B";
  return Math.round(Number.parseFloat(text) * (UNIT_BYTES[unit] ?? 1));
}

/** A share as a number from 0 to 1, or nothing when the text is not one. */
export function parseShare(text: string): number | undefined {
  if (!SHARE_PATTERN.test(text)) return undefined;
  const share = Number(text.slice(0, -1)) / 100;
  return share <= 1 ? share : undefined;
}
