import { describe, expect, it } from "vitest";
import { compileExpression, ExpressionError, holds } from "./expression.ts";

const scope = {
  event: { name: "t", data: { n: 3, f: 3.5, s: "xyz", nul: null, o: { p: 1 } } },
  async: { data: { n: 3 } },
};

describe("expressions treat a missing field as the Inngest server does", () => {
  // The second value was recorded against the real server.
  const recorded: [string, boolean][] = [
    ["event.data.m == null", true],
    ["event.data.m != 3", true],
    ["event.data.m > 3", false],
    ["event.data.n + 1 == 4", false],
    ["!(event.data.m == 3)", true],
    ["event.data.m != null", false],
    ["event.data.nul == null", true],
    ["event.data.f > 3", true],
    ["has(event.data.m)", false],
    ["event.data.m == 1 || event.data.n == 3", true],
    ["event.data.s.startsWith('x')", true],
    ["event.data.m.deep == 'x' || true", true],
    ["event.data.m == event.data.mm", false],
    ["event.data.s == 'a' && event.data.n == 3", false],
    ["async.data.n == event.data.n", true],
    ["event.data.s == 'xyz' && (event.data.o.p == 1 || event.data.q.r == 2)", true],
  ];
  it.each(recorded)("%s is %s", (text, expected) => {
    expect(holds(text, scope)).toBe(expected);
  });

  it("refuses what is not CEL, naming the text", () => {
    expect(() => compileExpression("event.data ==")).toThrow(ExpressionError);
    expect(() => compileExpression("event.data ==")).toThrow(/event\.data ==/);
  });
});
