/** `1731072` as `1,731,072`. Decimals keep their digits, at most two where `value` is a fraction. */
export function formatCount(value: number): string {
  const rounded = Number.isInteger(value) ? value : Math.round(value * 100) / 100;
  const [whole = "", fraction] = String(rounded).split(".");
  return groupDigits(whole) + (fraction === undefined ? "" : `.${fraction}`);
}

/** Thousands separators in the text of a decimal, which may be longer than a number can hold. */
export function groupDigits(text: string): string {
  const [, sign = "", whole = "", rest = ""] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  return whole === "" ? text : sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

/** `3 records`, `1 record`. */
export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : many}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes with one digit behind the point where that says something: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.95 ? String(Math.round(value)) : value.toFixed(1);
  return `${text} ${BYTE_UNITS[unit]}`;
}

/** `0.125` as `12.5%`. */
export function formatShare(share: number): string {
  const percent = Math.round(share * 1000) / 10;
  return `${percent}%`;
}

/** Things per second, short: `3,210/s`, `0.4/s`. */
export function formatRate(perSecond: number): string {
  return perSecond >= 10
    ? `${formatCount(Math.round(perSecond))}/s`
    : `${Math.round(perSecond * 10) / 10}/s`;
}
