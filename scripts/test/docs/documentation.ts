import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  /** The info string, for example "ts" or "bash tour". */
  readonly info: string;
  readonly text: string;
  /** The number of the page's line on which `text` begins, from 1. */
  readonly line: number;
}

/** A page of the documentation. */
export interface Page {
  /** The path from the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text without its blocks and HTML comments, line for line. */
  readonly prose: string;
}

/** Every file that Git has or would add, by its path from the repository's root. */
export const files: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard"],
  { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
)
  .split("\n")
  .filter((path) => path !== "");

/** Reads a file of the repository. */
export const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every page but the changelogs, which name what was. */
export const pages: readonly Page[] = files
  .filter((path) => path.endsWith(".md") && !/CHANGELOG\.md$|^\.changeset\//.test(path))
  .map((path) => readPage(path, read(path)));

/** Takes a page apart. */
export function readPage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { info: string; line: number; lines: string[]; end: RegExp } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^ *```(.*)$/.exec(line);
    const hidden = /^<!-- (ts)$/.exec(line);
    if (open !== undefined && !open.end.test(line)) open.lines.push(line);
    else if (open !== undefined) {
      blocks.push({ info: open.info, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else if (fence !== null) open = { info: fence[1] ?? "", line: index + 2, lines: [], end: /^ *```$/ };
    else if (hidden !== null) open = { info: "ts hidden", line: index + 2, lines: [], end: /^-->$/ };
    else {
      prose.push(line);
      continue;
    }
    prose.push("");
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the block does not end`);
  return { path, text, blocks, prose: prose.join("\n") };
}
