import { describe, expect, it } from "vitest";
import { isStaleStatement } from "./statement-names.ts";

describe("a prepared statement", () => {
  it.each([
    [
      "whose result type a migration changed, on a server that speaks German",
      "0A000",
      "RevalidateCachedQuery",
      true,
    ],
    ["that was deallocated", "26000", "FetchPreparedStatement", true],
    ["that uses an unsupported feature", "0A000", "transformSelectStmt", false],
    ["that fails", "22012", "int4div", false],
  ])("%s: stale or not", (_what, code, routine, isStale) => {
    const error = Object.assign(new Error("gecachter Plan darf den Ergebnistyp nicht ändern"), {
      code,
      routine,
    });
    expect(isStaleStatement(error)).toBe(isStale);
  });
});
