import { existsSync } from "node:fs";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Page, pages, root } from "./documentation.ts";

/** A TypeScript file that a page shows. */
export interface Program {
  /** The page's path, then the file's name. */
  readonly path: string;
  readonly text: string;
  /** The output that the page shows below it. */
  readonly prints: string | undefined;
}

/**
 * The programs of a page, as a reader would paste them:
 *
 * - a block whose first line is a comment with a file's name is that file, which the page's other blocks may import;
 * - a block that begins with an import begins a program, and the blocks after it continue it;
 * - `<!-- ts ... -->` is a block that readers don't see: it declares what the block after it takes for granted;
 * - a block "text output" is what the program above it prints.
 *
 * Every line keeps its number, so that an error names the page's own line.
 */
function programsOf(page: Page): Program[] {
  const programs: { path: string; lines: string[]; prints?: string }[] = [];
  let current: (typeof programs)[number] | undefined;
  let last: (typeof programs)[number] | undefined;
  let isPrepared = false;
  for (const { info, text, line } of page.blocks) {
    if (info === "text output" && last !== undefined) last.prints = text;
    if (!/^(ts|typescript)\b/.test(info)) continue;
    const name = /^\/\/ (\S+\.ts)$/.exec(text.split("\n")[0] ?? "")?.[1];
    const begins = !isPrepared && /^import\b/.test(text);
    isPrepared = info.endsWith(" hidden") && name === undefined;
    const program =
      name === undefined && !begins && current !== undefined
        ? current
        : { path: join(page.path, name ?? `line-${line}.ts`), lines: [] };
    if (program !== current) programs.push(program);
    if (name === undefined) current = program;
    last = program;
    const blanks = line - 1 - program.lines.length;
    program.lines.push(...Array<string>(blanks).fill(""), ...text.split("\n"));
  }
  return programs.map(({ path, lines, prints }) => ({ path, text: lines.join("\n"), prints }));
}

/** The programs of every page. The blocks of an example's page are its files, which are compiled where they are. */
export const programs: readonly Program[] = pages
  .filter(({ path }) => !path.startsWith("examples/"))
  .flatMap(programsOf);

/** Writes the programs into a new folder, with the packages that they import. The caller removes it. */
export async function writePrograms(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "synap-docs-"));
  for (const { path, text } of programs) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  for (const name of new Set(["@types/node", ...programs.flatMap(({ text }) => packagesOf(text))])) {
    await mkdir(dirname(join(folder, "node_modules", name)), { recursive: true });
    await symlink(installed(name), join(folder, "node_modules", name));
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return folder;
}

/** The names of the packages that a text imports. */
function packagesOf(text: string): string[] {
  return [...text.matchAll(/(?:from |import |import\()"((?:@[^/"]+\/)?[^./"][^/"]*)/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !name.startsWith("node:"));
}

/** Finds the folder of an npm package, which is a dependency of a package of the workspace. */
function installed(name: string): string {
  const found = ["scripts", "packages/handlers", "packages/synap", "apps/api", "."]
    .map((from) => join(root, from, "node_modules", name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`The docs import ${name}, which no package of the workspace has.`);
  return found;
}
