import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markup } from "./markup.ts";

describe("markup", () => {
  it("escapes what is put into it, and leaves markup as it is", () => {
    const inner = markup`<b>${"a < b & c"}</b>`;
    expect(markup`<p title="${'say "no"'}">${inner}</p>`.source).toBe(
      '<p title="say &quot;no&quot;"><b>a &lt; b &amp; c</b></p>',
    );
  });

  it("joins lists, leaves out what is undefined, and rounds numbers to hundredths", () => {
    expect(markup`${[markup`<i/>`, "x", undefined]}|${undefined}|${1 / 3}|${0}`.source).toBe("<i/>x||0.33|0");
  });

  it("lets no text become a tag or end an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { source } = markup`${text}`;
        expect(source).not.toMatch(/[<>"']/);
      }),
    );
  });
});
