import type { StreamCertificate } from "../../engine/certificate/certify-stream.ts";
import { type CertificateEntry, typeInWords } from "../../engine/certificate/take-certificate.ts";
import type { Look } from "./look.ts";
import { plural } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";
import { indent, table } from "./table.ts";

/** Field by field how many values survive, and below it each that does not, with what came of it. */
export function certificateLines(
  { system, connector, stream, entries }: StreamCertificate,
  { style }: Look,
): readonly string[] {
  const fields = Map.groupBy(entries, ({ field }) => field);
  const lost = entries.filter(({ fate }) => fate !== "exact");
  const head = `${style.bold(`${cleanText(stream)} of ${cleanText(system)}`)} (${connector})`;
  const rows = [...fields].map(([field, own]) => {
    const [first] = own;
    const countOf = (fate: CertificateEntry["fate"]): string =>
      String(own.filter((entry) => entry.fate === fate).length);
    return [
      cleanText(field),
      first === undefined ? "" : typeInWords(first.type),
      countOf("exact"),
      countOf("changed"),
      countOf("refused"),
    ];
  });
  const count = { align: "right" } as const;
  return [
    `${head}: ${entries.length - lost.length} of ${plural(entries.length, "value")} come back exactly.`,
    "",
    ...table(
      [
        { title: "field" },
        { title: "type" },
        { title: "exact", ...count },
        { title: "changed", ...count },
        { title: "refused", ...count },
      ],
      rows,
      style,
    ),
    ...[...fields].flatMap(([field, own]) => {
      const fates = own.flatMap((entry) => fateInWords(entry) ?? []);
      return fates.length === 0 ? [] : ["", style.bold(cleanText(field)), ...indent(fates)];
    }),
    "",
    "A sync takes none of this for an edit: a side is compared with what it said itself.",
  ];
}

const SHOWN = 60;

function fateInWords({ fate, name, stored, problem }: CertificateEntry): string | undefined {
  if (fate === "exact") return undefined;
  if (fate === "refused") return cleanText(`${name} is refused: ${problem ?? ""}`);
  return `${cleanText(name)} becomes ${clip(cleanText(JSON.stringify(stored) ?? "nothing"), SHOWN)}`;
}
