import { expect, it } from "vitest";
import { createSealedText } from "./sealed-text.ts";

const sealed = createSealedText("a secret of at least 32 characters", "this");

it("sealed text is opened as it was, and differs each time", () => {
  for (const text of ["", "text", "é\u0000😀"]) expect(sealed.open(sealed.seal(text))).toBe(text);
  expect(sealed.seal("text")).not.toBe(sealed.seal("text"));
  expect(sealed.seal("text")).toMatch(/^[\w-]+$/);
});

it("what was changed, cut, or sealed for another purpose or with another secret is not opened", () => {
  const text = sealed.seal("some text");
  const bytes = Buffer.from(text, "base64url");
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(sealed.open(changed.toString("base64url"))).toBeUndefined();
  }
  for (const cut of ["", "x", text.slice(0, 30), text.slice(4)]) expect(sealed.open(cut)).toBeUndefined();
  for (const other of [
    createSealedText("a secret of at least 32 characters", "that"),
    createSealedText("another secret of 32 characters!", "this"),
  ])
    expect(sealed.open(other.seal("some text"))).toBeUndefined();
});
