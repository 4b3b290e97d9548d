import { expect } from "vitest";

/** Fails unless every element of a page or an SVG file is closed in its turn. Void elements need no end. */
export function checkElements(source: string, voidElements: ReadonlySet<string> = new Set()): void {
  const open: string[] = [];
  for (const [, closing, name = "", closed] of source.matchAll(/<(\/?)([a-z0-9]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (closing === "/") expect(open.pop()).toBe(name);
    else if (closed !== "/" && !voidElements.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
}
