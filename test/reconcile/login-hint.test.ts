import assert from "node:assert/strict";
import { test } from "node:test";
import { translateMysqlError } from "../../src/connectors/mysql/errors.ts";
import { SyncError } from "../../src/model/sync-error.ts";
import { systemError } from "../../src/model/system-error.ts";

test("a refused login of a database is told what stands in its URL, and nothing of tokens", () => {
  const driver = systemError(new SyncError("HOME_REFUSED", "The database refuses the login."));
  const mysql = translateMysqlError(
    Object.assign(new Error("Access denied"), { errno: 1045, sqlState: "28000" }),
    "mysql://127.0.0.1/shop",
  );
  for (const error of [driver, mysql] as SyncError[]) {
    assert.equal(error.code, "CONNECTOR_UNAUTHORIZED");
    assert.match(error.hint, /^Correct user, password/);
  }
  const gone = systemError(new SyncError("HOME_UNREACHABLE", "It is away.")) as SyncError;
  assert.doesNotMatch(gone.hint, /password/);
});
