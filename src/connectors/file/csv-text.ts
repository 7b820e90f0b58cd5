import { type Options, stringify } from "csv-stringify/sync";

const OPTIONS: Options = {
  record_delimiter: "\r\n",
  // A line break of any kind, and spaces that a reader might trim.
  quoted_match: /[\r\n]|^\s|\s$/,
  cast: { string: (text) => (text === "" ? { value: "", quoted_empty: true } : text) },
};

/**
 * Lines of CSV (RFC 4180: comma, double quote, CR LF). Null is nothing between two commas, an empty
 * text is `""`: the same as PostgreSQL's COPY reads.
 */
export function csvLines(rows: readonly (readonly (string | null)[])[]): string {
  return stringify([...rows], OPTIONS);
}
