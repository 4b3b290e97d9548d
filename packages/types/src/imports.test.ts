import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

const ALLOWED = new Set(["zod", "uuidv7"]);
const SPECIFIER = /(?:from|import)\s*\(?\s*["']([^"'\s]+)["']/g;

describe("the package", () => {
  it("imports nothing but zod and uuidv7, so that it runs in a browser", async () => {
    const root = new URL("./", import.meta.url);
    const files = (await readdir(root, { recursive: true })).filter(
      (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const source = await readFile(new URL(file, root), "utf8");
      const foreign = [...source.matchAll(SPECIFIER)]
        .map(([, specifier = ""]) => specifier)
        .filter((specifier) => !specifier.startsWith("./") && !specifier.startsWith("../"))
        .filter((specifier) => !ALLOWED.has(specifier));
      expect(foreign, file).toEqual([]);
      // Node's globals need no import; tsc refuses them too, as the sources are compiled without Node's types.
      // A text may speak of a process.
      const code = source.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
      expect(code, file).not.toMatch(/\b(?:process|Buffer|__dirname|require)\b[.(]/);
    }
  });
});
