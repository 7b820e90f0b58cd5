import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { claimName, destinationName, snakeCase } from "./naming.ts";

suite("naming", () => {
  test("snake_case splits words as people read them", () => {
    const names = {
      ListPrice: "list_price",
      MLSStatus: "mls_status",
      ListingURL: "listing_url",
      UnparsedAddress2: "unparsed_address2",
      BathroomsTotalInteger: "bathrooms_total_integer",
      Lot2Size: "lot2_size",
      WFR_LotSize: "wfr_lot_size",
      already_snake: "already_snake",
      "With space & more": "with_space_more",
      ÄußereFläche: "äußere_fläche",
      _Hidden: "_hidden",
      "": "_",
      "🏠": "_",
    };
    for (const [name, wanted] of Object.entries(names)) assert.equal(snakeCase(name), wanted);
  });

  test("a source name stays, but for what no database takes", () => {
    assert.equal(destinationName("ListPrice", "source"), "ListPrice");
    assert.equal(destinationName('a"; DROP é 🏠', "source"), 'a"; DROP é 🏠');
    assert.equal(destinationName("a\0b\nc\ud800", "source"), "a_b_c_");
    assert.equal(destinationName("", "source"), "_");
    assert.equal(destinationName("ListPrice", "snake_case"), "list_price");
  });

  test("a name that is taken gets a number, whatever its case", () => {
    const taken = new Set(["id"]);
    const claimed = ["ID", "Name", "name", "NAME", "name_2"].map((name) => claimName(name, taken));
    assert.deepEqual(claimed, ["ID_2", "Name", "name_2", "NAME_3", "name_2_2"]);
  });
});
