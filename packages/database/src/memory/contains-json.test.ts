import type { JsonValue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { containsJson } from "./contains-json.ts";

// Few names and values, so that documents often contain each other.
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, 0, 1, 1.5, 1e-7, "a", "1", ""),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "constructor"), tie("value"), { maxKeys: 3 }),
  ),
}));
const document = fc.dictionary(fc.constantFrom("a", "b"), value);

describeOnEveryEngine("containment of JSON", (engine) => {
  it("is that of the database, for any document and any object", async () => {
    let contained = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(document, document), { minLength: 50, maxLength: 100 }),
        async (pairs) => {
          const own = pairs.map(([whole, part]) => containsJson(whole, part));
          const rows = await engine.database.query<{ contains: boolean }>(
            "SELECT (pair -> 0) @> (pair -> 1) AS contains FROM jsonb_array_elements($1::text::jsonb) AS pair",
            [JSON.stringify(pairs)],
          );
          expect(own).toEqual(rows.map(({ contains }) => contains));
          contained += own.filter(Boolean).length;
        },
      ),
      { numRuns: 20 },
    );
    expect(contained).toBeGreaterThan(100);
  });
});
