import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";

const FUNCTIONS = `
SELECT p.proname AS name, p.prosrc AS body
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
 WHERE n.nspname LIKE 'synap%' AND l.lanname IN ('sql', 'plpgsql')`;

/** The string literals of a function that a session's `standard_conforming_strings` would give another meaning. */
function changeableLiterals(body: string): string[] {
  const code = body.replaceAll(/--.*$/gm, "");
  return [...code.matchAll(/\bE'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'/gs)]
    .map(([literal]) => literal)
    .filter((literal) => !literal.startsWith("E") && literal.includes("\\"));
}

describeOnEveryEngine("the functions, in a session with settings of its own", (engine) => {
  it("have no literal with a backslash, except those with E'...'", async () => {
    expect(changeableLiterals(String.raw`SELECT E'\\d''x' || '\d' -- isn't '\'`)).toEqual([String.raw`'\d'`]);
    const functions = await engine.database.query<{ name: string; body: string }>(FUNCTIONS);
    expect(functions.length).toBeGreaterThan(50);
    const found = functions.flatMap(({ name, body }) =>
      changeableLiterals(body).map((literal) => [name, literal]),
    );
    expect(found).toEqual([]);
  });

  it("read times and texts beyond U+FFFF where backslashes escape", async () => {
    const row = await engine.database.asOwner(async (owner) => {
      await owner.execute(
        "SET LOCAL standard_conforming_strings = off; SET LOCAL escape_string_warning = off",
      );
      const [found] = await owner.query(
        "SELECT synap.timestamp_fault($1::text) AS fault, length(synap.utf16_text($2::text)) AS length",
        ["2026-01-01T00:00:00Z", "a😀"],
      );
      return found;
    });
    expect(row).toEqual({ fault: null, length: 3 });
  });
});
