import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { files, read, root } from "./documentation.ts";
import { programs, writePrograms } from "./programs.ts";

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await writePrograms();
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: { moduleDetection: "force" },
      files: programs.map(({ path }) => path),
    }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the TypeScript of the documentation", () => {
  it("compiles, strictly", async () => {
    const compiler = run(join(root, "node_modules/.bin/tsc"), ["--pretty", "false"], { cwd: folder });
    const { stdout } = await compiler.catch((error: unknown) =>
      z.object({ stdout: z.string() }).parse(error),
    );
    expect(
      stdout
        .replaceAll(/^(.*?\.md)\/[^(]*\((\d+),\d+\)/gm, "$1:$2")
        .split("\n")
        .filter(Boolean),
    ).toEqual([]);
  });

  it.each(programs.filter(({ prints }) => prints !== undefined))(
    "prints what the page shows: $path",
    async ({ path, prints }) => {
      const program = [
        process.execPath,
        ["--import", import.meta.resolve("tsx"), join(folder, path)],
      ] as const;
      const { stdout } = await run(...program, { cwd: dirname(join(folder, path)) });
      expect(stdout.trimEnd()).toBe(prints);
    },
  );

  it.each(programs.filter(({ path }) => path.endsWith(".test.ts")))(
    "passes as a test that the page shows: $path",
    async ({ path }) => {
      const vitest = join(root, "node_modules/.bin/vitest");
      await run(vitest, ["run", "--root", folder, "--testTimeout", "180000", path], { cwd: folder });
    },
  );

  it("imports only what applications can install", () => {
    const published = new Set(
      files
        .filter((file) => /^packages\/[^/]+\/package\.json$/.test(file))
        .map((file) => manifest.parse(JSON.parse(read(file))))
        .flatMap(({ name, publishConfig }) =>
          Object.keys(publishConfig?.exports ?? {}).map((path) => name + path.slice(1)),
        ),
    );
    const strays = programs.flatMap(({ path, text }) =>
      [...text.matchAll(/ from "(@synap\/[^"]+)"/g)]
        .map(([, name = ""]) => name)
        // The README of a package that isn't published shows that package.
        .filter(
          (name) => !published.has(name) && dirname(path) !== `packages/${name.split("/")[1]}/README.md`,
        )
        .map((name) => `${dirname(path)} imports ${name}`),
    );
    expect(strays).toEqual([]);
  });
});

const manifest = z.object({
  name: z.string(),
  publishConfig: z.object({ exports: z.record(z.string(), z.unknown()) }).optional(),
});
