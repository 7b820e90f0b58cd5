import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type FakeIo, fakeIo } from "../../../test/support/cli-io.ts";
import { ledger, NOW, streamReport } from "../../../test/support/cli-results.ts";
import type { RunEvent } from "../../model/events.ts";
import { watchAsLines, watchOnTerminal } from "./watch-run.ts";

const EVENTS: readonly RunEvent[] = [
  { kind: "run-started", at: NOW, runId: "r", sync: "mls", mode: "full", streams: ["Property"] },
  { kind: "phase", at: NOW, stream: "Property", phase: "reading" },
  progress(0, 200),
  progress(4_000, 8_000),
  { kind: "note", at: NOW, stream: "Property", message: "Resumed after 200 records." },
  {
    kind: "wait",
    at: NOW,
    stream: undefined,
    reason: "the budget of 90 requests a minute",
    untilMs: NOW + 30_000,
    attempt: 1,
  },
  progress(10_000, 20_000),
  {
    kind: "stream-finished",
    at: NOW + 11_000,
    report: streamReport("Property", { ledger: ledger({ read: 20_000, created: 20_000 }) }),
  },
];

function progress(ms: number, walked: number): RunEvent {
  return {
    kind: "progress",
    at: NOW + ms,
    stream: "Property",
    ledger: ledger({ read: walked, created: walked }),
    walked,
    total: 20_000,
  };
}

const io = (isTerminal: boolean): FakeIo => fakeIo({ directory: "/", isTerminal, now: () => NOW });

test("a log gets lines with times, progress at most every ten seconds", () => {
  const log = io(false);
  const watcher = watchAsLines(log, { isColoured: false, isVerbose: true });
  for (const event of EVENTS) watcher.emit(event);
  watcher.stop();
  assert.equal(
    log.stderr(),
    [
      "mls: full run of Property began",
      "Property: Resumed after 200 records.",
      "run: waiting 30 s, until 14:03:50: the budget of 90 requests a minute",
      "Property: 20,000 of 20,000 (100%), 1,980/s",
      "Property: done, 20,000 read: 20,000 new",
    ]
      .map((line) => `2026-11-21 14:03:20  ${line}\n`)
      .join(""),
  );
});

test("a terminal gets one line a stream, redrawn in place, and its cursor back", () => {
  const terminal = io(true);
  const watcher = watchOnTerminal(terminal, { isColoured: false, isVerbose: false });
  for (const event of EVENTS) watcher.emit(event);
  watcher.say("Stopping at the next safe point.");
  watcher.stop();
  const text = terminal.stderr();
  assert.equal(
    stripVTControlCharacters(text).replaceAll("\r", ""),
    [
      "Stopping at the next safe point.",
      "Property  done  20,000 read: 20,000 new",
      "waiting 30 s, until 14:03:50: the budget of 90 requests a minute",
      "Property  done  20,000 read: 20,000 new",
      "waiting 30 s, until 14:03:50: the budget of 90 requests a minute",
      "",
    ].join("\n"),
  );
  assert.ok(text.startsWith("\u001b[?25l"));
  assert.ok(text.endsWith("\u001b[?25h"));
});
