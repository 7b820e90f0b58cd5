import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Change, foldStatus, isTransition } from "./change.ts";
import type { RecordKey } from "./record.ts";

const update = (before: string | null, after: string | null): Change => ({
  kind: "update",
  key: "a" as RecordKey,
  fields: [{ field: "Status", before, after }],
});

suite("transitions", () => {
  test("a status is compared without case and spaces", () => {
    assert.equal(foldStatus("Active Under\tContract"), "activeundercontract");
    assert.equal(foldStatus("ActiveUnderContract"), "activeundercontract");
    assert.equal(foldStatus(true), "true");
    assert.equal(foldStatus(5), "5");
    assert.equal(foldStatus(null), undefined);
    assert.equal(foldStatus(["a"]), undefined);
  });

  test("only an update from one to the other is the transition", () => {
    const wanted = { field: "Status", before: "active", after: "PENDING" };
    assert.equal(isTransition(update("Active", "Pending"), wanted), true);
    assert.equal(isTransition(update("Pending", "Active"), wanted), false);
    assert.equal(isTransition(update(null, "Pending"), wanted), false);
    assert.equal(
      isTransition(update(null, "Pending"), { field: "Status", after: "pending" }),
      true,
    );
    assert.equal(isTransition(update("Active", null), { field: "Status", before: "active" }), true);
    assert.equal(isTransition(update("Active", "Pending"), { ...wanted, field: "Other" }), false);
    assert.equal(isTransition({ ...update("Active", "Pending"), kind: "create" }, wanted), false);
  });
});
