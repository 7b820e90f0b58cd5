import type { FilesPlan } from "../../engine/files-results.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, plural } from "./numbers.ts";
import { quotaTable } from "./quota-cost.ts";
import { cleanText } from "./style.ts";
import { table } from "./table.ts";
import { formatDuration } from "./times.ts";

/** What a run of files would do: first what it costs, then of what, then against which quotas. */
export function filesPlanLines(plan: FilesPlan, look: Look): readonly string[] {
  const { style } = look;
  const { at, held, stream, source, location, asked, fileQuota, listings, requests } = plan;
  return [
    headline(plan, look),
    "",
    ...table(
      [
        { title: "files" },
        { title: "what" },
        { title: "records", align: "right" },
        { title: "lists", align: "right" },
        { title: "requests", align: "right" },
        { title: "to fetch", align: "right" },
        { title: "data", align: "right" },
        { title: "held", align: "right" },
      ],
      [
        [
          stream,
          whatOf(plan),
          recordsOf(plan),
          formatCount(listings),
          formatCount(requests),
          plan.files === undefined ? "?" : `about ${formatCount(plan.files)}`,
          plan.bytes === undefined ? "?" : `about ${formatBytes(plan.bytes)}`,
          `${formatCount(held.files)}, ${formatBytes(held.bytes)}`,
        ],
      ],
      style,
    ),
    ...quotaTable(plan.quota, at, look, "quota of requests"),
    ...(fileQuota === undefined ? [] : quotaTable(fileQuota, at, look, "quota of files")),
    "",
    style.dim(
      `${source} → ${cleanText(location)}; ${plural(asked, "request")} made to find out, no file fetched`,
    ),
  ];
}

function headline(plan: FilesPlan, { style, times }: Look): string {
  const { due, sync, at, endsAt, requests, files } = plan;
  if (!due) return `${style.green("Nothing to do:")} the files of ${sync} are up to date.`;
  const fetched = files === undefined ? "" : ` and about ${plural(files, "file")}`;
  const takes =
    endsAt > at
      ? `, at least ${formatDuration(endsAt - at)}, until ${times.clock(endsAt, at)}`
      : "";
  return `${style.yellow("To do:")} ${sync}: ${plural(requests, "request")}${fetched}${takes}.`;
}

function whatOf({ action, after = 0 }: FilesPlan): string {
  switch (action) {
    case "walk":
      return "every record";
    case "resume":
      return `goes on after ${formatCount(after)}`;
    case "read":
      return "records that changed";
  }
}

function recordsOf({ records, atLeast }: FilesPlan): string {
  if (records === undefined) return "?";
  return atLeast ? `≥ ${formatCount(records)}` : formatCount(records);
}
