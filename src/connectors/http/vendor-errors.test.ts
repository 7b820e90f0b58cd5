import assert from "node:assert/strict";
import test from "node:test";
import { retryAfterMs } from "../../model/retry-after.ts";
import type { HttpResponse } from "../../ports/http.ts";
import { redact } from "./redact.ts";
import { errorOfStatus, isHtml, serverWords } from "./vendor-errors.ts";

const TOKEN = "s3cr3t/token+value";
const asked = {
  url: "https://mls.example/odata/Property?$top=1&access_token=abc",
  what: 'stream "Property"',
  stream: "Property",
  secrets: [TOKEN],
  nowMs: Date.UTC(2026, 0, 1),
};

function answer(status: number, body = "", headers: Record<string, string> = {}): HttpResponse {
  return { status, body, headers, bytes: body.length };
}

const CODES: readonly (readonly [number, string])[] = [
  [400, "CONNECTOR_BAD_REQUEST"],
  [401, "CONNECTOR_UNAUTHORIZED"],
  [403, "CONNECTOR_UNAUTHORIZED"],
  [404, "CONNECTOR_NOT_FOUND"],
  [405, "CONNECTOR_BAD_REQUEST"],
  [408, "CONNECTOR_TIMEOUT"],
  [410, "CONNECTOR_NOT_FOUND"],
  [413, "CONNECTOR_BAD_REQUEST"],
  [414, "CONNECTOR_BAD_REQUEST"],
  [429, "CONNECTOR_RATE_LIMITED"],
  [500, "CONNECTOR_UNAVAILABLE"],
  [501, "CONNECTOR_UNSUPPORTED"],
  [503, "CONNECTOR_UNAVAILABLE"],
  [504, "CONNECTOR_UNAVAILABLE"],
];

for (const [status, code] of CODES) {
  test(`status ${status} is ${code}`, () => {
    const error = errorOfStatus(answer(status), asked);
    assert.equal(error.code, code);
    assert.equal(error.context.status, status);
    assert.equal(error.context.url, "https://mls.example/odata/Property?$top=1&access_token=***");
  });
}

const WORDS: readonly (readonly [string, string | undefined])[] = [
  ['{"error":{"code":"400","message":"Unknown property"}}', "Unknown property"],
  ['{"error":{"message":{"lang":"en","value":"Wrapped"}}}', "Wrapped"],
  [
    '{"error":{"message":"Unsupported","details":[{"message":"$skip is not"}]}}',
    "Unsupported; $skip is not",
  ],
  ['{"message":"Slow down"}', "Slow down"],
  ['{"error":"invalid_token","error_description":"It expired"}', "invalid_token: It expired"],
  ['{"fault":{"faultstring":"Quota"}}', "Quota"],
  ["plain words", "plain words"],
  ["<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", "502 Bad Gateway"],
  ["", undefined],
];

for (const [body, words] of WORDS) {
  test(`the server's words in ${body || "nothing"}`, () => {
    assert.equal(serverWords(answer(400, body), []), words);
  });
}

test("a server that echoes the token does not get it into a message", () => {
  const echo = `Token ${TOKEN} and ${encodeURIComponent(TOKEN)}; Authorization: Bearer other-token`;
  const error = errorOfStatus(answer(401, JSON.stringify({ message: echo })), asked);
  assert.equal(
    error.message,
    'The server answered 401 for stream "Property": "Token *** and ***; Authorization: Bearer ***".',
  );
  assert.ok(!JSON.stringify([error.message, error.context, error.hint]).includes(TOKEN));
});

test("a redirect to another origin names it and is not followed", () => {
  const error = errorOfStatus(
    answer(302, "", { location: "https://login.example/x?code=1" }),
    asked,
  );
  assert.equal(error.code, "CONNECTOR_NOT_FOUND");
  assert.match(error.message, /"https:\/\/login\.example"/);
});

test("URLs lose their credentials", () => {
  assert.equal(
    redact("https://me:pw@h/x?token=1&$top=2&api_key=3&key=4&sig=5#f", []),
    "https://***@h/x?token=***&$top=2&api_key=***&key=***&sig=***#f",
  );
});

const WAITS: readonly (readonly [Record<string, string>, number | undefined])[] = [
  [{ "retry-after": "30" }, 30_000],
  [{ "retry-after": "0.5" }, 500],
  [{ "x-ratelimit-retryafter": "7" }, 7000],
  [{ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, 60_000],
  [
    { "retry-after": "Thu, 01 Jan 2026 05:00:30 GMT", date: "Thu, 01 Jan 2026 05:00:00 GMT" },
    30_000,
  ],
  [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
  [{ "retry-after": "99999999" }, 86_400_000],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
];

for (const [headers, ms] of WAITS) {
  test(`${JSON.stringify(headers)} asks to wait ${ms} ms`, () => {
    assert.equal(retryAfterMs(headers, asked.nowMs), ms);
    assert.equal(errorOfStatus(answer(429, "", headers), asked).retryAfterMs, ms);
  });
}

test("a web page is told by its type or its beginning", () => {
  assert.ok(isHtml(answer(200, "x", { "content-type": "text/html; charset=utf-8" })));
  assert.ok(isHtml(answer(200, "\n<!DOCTYPE html><p>")));
  assert.ok(!isHtml(answer(200, "<edmx:Edmx/>", { "content-type": "application/xml" })));
});
