import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  addMs,
  compareTimestamps,
  formatInstant,
  isDate,
  parseTimestamp,
  timestampDifferenceMs,
  timestampFromEpochMs,
  timestampToEpochMs,
} from "./timestamp.ts";
import { isTimeZone, zoneConverter } from "./timestamp-zone.ts";

const READABLE: readonly (readonly [string, string])[] = [
  ["2025-01-31T18:48:38Z", "2025-01-31T18:48:38Z"],
  ["2024-10-15T04:26:10.660765Z", "2024-10-15T04:26:10.660765Z"],
  ["2024-10-15T04:26:10.000Z", "2024-10-15T04:26:10.000Z"],
  ["2021-05-21T16:43:43.108+00:00", "2021-05-21T16:43:43.108Z"],
  ["2021-05-21T16:43:43-06:00", "2021-05-21T22:43:43Z"],
  ["2021-12-31T23:30:00.1234567-0700", "2022-01-01T06:30:00.1234567Z"],
  ["2021-05-21t16:43:43z", "2021-05-21T16:43:43Z"],
  ["2021-05-21T16:43Z", "2021-05-21T16:43:00Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
  ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"],
  // A leap second becomes the first second of the next minute.
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"],
  ["2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"],
  ["2016-12-31T16:59:60-07:00", "2017-01-01T00:00:00Z"],
];

for (const [text, canonical] of READABLE) {
  test(`timestamp ${text} is ${canonical}`, () => {
    assert.deepEqual(parseTimestamp(text), { kind: "instant", canonical });
  });
}

const MALFORMED = [
  "2021-08-21T00:01:01.01.007Z",
  "2021-02-30T00:00:00Z",
  "2023-02-29T00:00:00Z",
  "2021-13-01T00:00:00Z",
  "2021-00-01T00:00:00Z",
  "2021-01-00T00:00:00Z",
  "2021-01-01T24:00:00Z",
  "2021-01-01T00:60:00Z",
  "2021-01-01T00:00:61Z",
  "2021-01-01T12:00:60Z",
  "2016-12-31T23:59:60",
  "2021-01-01T00:00:00+25:00",
  "0000-01-01T00:00:00Z",
  "0001-01-01T00:00:00+01:00",
  "9999-12-31T23:59:59-01:00",
  "2021-01-01T00:00:00+00:00Z",
  "2021-01-01",
  "TBD",
  "",
];

for (const text of MALFORMED) {
  test(`timestamp "${text}" is refused`, () => {
    assert.deepEqual(parseTimestamp(text), { kind: "malformed" });
  });
}

test("a time without a zone names no instant", () => {
  assert.equal(parseTimestamp("2021-01-01T00:00:00").kind, "local");
  assert.equal(parseTimestamp("2021-01-01 00:00:00.5").kind, "local");
});

test("dates must exist", () => {
  assert.deepEqual(
    ["2024-02-29", "2023-02-29", "2021-04-31", "2021-4-3", "2021-04-30T00:00:00Z"].map(isDate),
    [true, false, false, false, false],
  );
});

const instants = fc
  .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.stringMatching(/^\d{0,9}$/))
  .map(([seconds, fraction]) => ({
    seconds,
    fraction,
    text: formatInstant({ seconds, fraction }) ?? "",
  }));

test("a canonical timestamp is its own canonical form, at any precision", () => {
  fc.assert(
    fc.property(instants, ({ text }) => {
      assert.deepEqual(parseTimestamp(text), { kind: "instant", canonical: text });
    }),
  );
});

test("the calendar agrees with Date", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
      (date) => {
        const ms = Math.floor(date.getTime() / 1000) * 1000;
        const text = new Date(ms).toISOString().replace(".000Z", "Z");
        assert.equal(timestampFromEpochMs(ms), text);
        assert.equal(timestampToEpochMs(text), ms);
      },
    ),
  );
});

test("timestamps compare as instants at any precision", () => {
  const exact = ({ seconds, fraction }: { seconds: number; fraction: string }): bigint =>
    BigInt(seconds) * 10n ** 9n + BigInt(fraction.padEnd(9, "0"));
  fc.assert(
    fc.property(instants, instants, (a, b) => {
      const expected = exact(a) === exact(b) ? 0 : exact(a) < exact(b) ? -1 : 1;
      assert.equal(Math.sign(compareTimestamps(a.text, b.text)), expected);
    }),
  );
  assert.equal(compareTimestamps("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z"), 0);
  assert.ok(compareTimestamps("2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.09Z") > 0);
});

test("adding milliseconds moves the instant by exactly so much and keeps what lies below", () => {
  assert.equal(addMs("2024-10-15T04:26:10.660765Z", -1), "2024-10-15T04:26:10.659765Z");
  assert.equal(addMs("2024-10-15T04:26:10Z", -600_000), "2024-10-15T04:16:10Z");
  assert.equal(addMs("2024-10-15T04:26:10Z", 1), "2024-10-15T04:26:10.001Z");
  assert.equal(addMs("2024-12-31T23:59:59.5Z", 500), "2025-01-01T00:00:00.000Z");
  assert.equal(addMs("0001-01-01T00:00:00Z", -1000), "0001-01-01T00:00:00Z");
  fc.assert(
    fc.property(
      fc.integer({ min: -1e12, max: 4e12 }),
      fc.integer({ min: -1e9, max: 1e9 }),
      (start, ms) => {
        const from = timestampFromEpochMs(start);
        assert.equal(timestampToEpochMs(addMs(from, ms)), start + ms);
        assert.equal(timestampDifferenceMs(addMs(from, ms), from), ms);
      },
    ),
  );
});

test("a local time is converted by its zone, summer and winter, gap and repeat", () => {
  const denver = zoneConverter("America/Denver");
  const convert = (text: string): string | undefined => {
    const parsed = parseTimestamp(text);
    assert.ok(parsed.kind === "local");
    return denver(parsed.seconds, parsed.fraction);
  };
  assert.equal(convert("2026-07-01T06:00:00.5"), "2026-07-01T12:00:00.5Z");
  assert.equal(convert("2026-01-01T06:00:00"), "2026-01-01T13:00:00Z");
  assert.equal(convert("2026-03-08T02:30:00"), "2026-03-08T09:30:00Z");
  assert.equal(convert("2026-11-01T01:30:00"), "2026-11-01T07:30:00Z");
  assert.equal(convert("2026-11-01T02:00:00"), "2026-11-01T09:00:00Z");
  assert.deepEqual(["America/Denver", "UTC", "Mars/Olympus"].map(isTimeZone), [true, true, false]);
});
