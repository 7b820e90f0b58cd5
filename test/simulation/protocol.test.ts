import assert from "node:assert/strict";
import test from "node:test";
import { explore, type Invariant } from "../../src/testing/protocol/explore.ts";
import { createModel } from "../../src/testing/protocol/model.ts";
import { exploreSize, SMALL } from "./protocol-sizes.ts";

for (const size of SMALL) {
  test(`every state of the protocol holds: ${size.name}`, (t) => {
    const { states, transitions, broken } = exploreSize(size);
    t.diagnostic(`${states} states, ${transitions} transitions`);
    assert.equal(broken, undefined);
    assert.ok(states > 1000, `only ${states} states were reached`);
  });
}

test("a state that breaks an invariant is told with the shortest way to it", () => {
  const [size] = SMALL;
  assert.ok(size);
  const nobodyAgrees: Invariant = {
    name: "nobody agrees",
    broken: (_model, { links }) => (links.some((link) => link !== null) ? "they do" : undefined),
  };
  const { broken } = explore(createModel(size.protocol), [nobodyAgrees]);
  const way =
    "start > edit 1.x on a > begin > observe a > observe b > intend > create on b > settle";
  assert.equal(broken?.text, "they do");
  assert.equal(broken?.way.length, way.split(" > ").length, broken?.way.join(" > "));
  assert.equal(broken?.way.join(" > "), way);
});
