import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

it("is at most 12 kB in a browser, compressed, with everything that it needs", async () => {
  const entry = new URL("../src/index.ts", import.meta.url).pathname;
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
  });
  const [file] = outputFiles;
  expect(brotliCompressSync(file?.contents ?? "").length).toBeLessThanOrEqual(12_000);
  // Types of other packages, but none of their code beside the maker of ids.
  const packages = Object.keys(metafile.inputs).flatMap(
    (path) => /node_modules\/(?:\.pnpm\/)?([^@/]+)/.exec(path)?.[1] ?? [],
  );
  expect([...new Set(packages)]).toEqual(["uuidv7"]);
});
