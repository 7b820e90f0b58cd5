import assert from "node:assert/strict";
import test from "node:test";
import { exploreSize, SMALL } from "./protocol-sizes.ts";

for (const size of SMALL) {
  test(`every state of the protocol holds: ${size.name}`, (t) => {
    const { states, transitions, broken } = exploreSize(size);
    t.diagnostic(`${states} states, ${transitions} transitions`);
    assert.equal(broken, undefined);
    assert.ok(states > 1000, `only ${states} states were reached`);
  });
}
