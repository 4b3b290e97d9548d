import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Block, files, type Page, pages, read, root } from "./documentation.ts";

// A page's TypeScript is compiled as a reader would paste it:
//   - a block whose first line is a comment with a file's name is that file, which the page's other blocks may import;
//   - a block that begins with an import begins a program, and the blocks after it continue it;
//   - <!-- ts ... --> is a block that readers don't see: it declares what the block after it takes for granted.

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a page's programs. Every line keeps its number, so that an error names the page's own line. */
function programsOf(page: Page): SourceFile[] {
  const programs: { path: string; lines: string[] }[] = [];
  let current: { path: string; lines: string[] } | undefined;
  let isPrepared = false;
  for (const block of page.blocks.filter(isTypeScript)) {
    const name = /^\/\/ (\S+\.ts)$/.exec(block.text.split("\n")[0] ?? "")?.[1];
    const begins = !isPrepared && /^import\b/.test(block.text);
    isPrepared = block.info.endsWith(" hidden") && name === undefined;
    const program =
      name === undefined && !begins && current !== undefined
        ? current
        : { path: join(page.path, name ?? `line-${block.line}.ts`), lines: [] };
    if (program !== current) programs.push(program);
    if (name === undefined) current = program;
    const blanks = block.line - 1 - program.lines.length;
    program.lines.push(...Array<string>(blanks).fill(""), ...block.text.split("\n"));
  }
  return programs.map(({ path, lines }) => ({ path, text: lines.join("\n") }));
}

const isTypeScript = (block: Block): boolean => /^(ts|typescript)\b/.test(block.info);

/** The names of the packages that a text imports. */
function packagesOf(text: string): string[] {
  return [...text.matchAll(/(?:from |import |import\()"((?:@[^/"]+\/)?[^./"][^/"]*)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !name.startsWith("node:"));
}

const programs = pages.flatMap(programsOf);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synap-docs-"));
  for (const { path, text } of programs) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  for (const name of new Set(["@types/node", ...programs.flatMap(({ text }) => packagesOf(text))])) {
    await mkdir(dirname(join(folder, "node_modules", name)), { recursive: true });
    await symlink(installed(name), join(folder, "node_modules", name));
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
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

/** Where the workspace has a package: as a dependency of one of its own. */
function installed(name: string): string {
  const found = ["scripts", "packages/handlers", "."]
    .map((from) => join(root, from, "node_modules", name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`The docs import ${name}, which no package of the workspace has.`);
  return found;
}

describe("the TypeScript of the documentation", () => {
  it("compiles, strictly", async () => {
    const compiler = promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["--pretty", "false"], {
      cwd: folder,
    });
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
        .filter((name) => !published.has(name))
        .map((name) => `${dirname(path)} imports ${name}`),
    );
    expect(strays).toEqual([]);
  });
});

const manifest = z.object({
  name: z.string(),
  publishConfig: z.object({ exports: z.record(z.string(), z.unknown()) }).optional(),
});
