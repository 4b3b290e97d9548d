import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * The commands of a page's bash block that begins with the comment `# title`, as a reader would paste them.
 * @throws Error when the page has no such block
 */
export function documentedCommands(page: string, title: string): string {
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```bash\n([\s\S]*?)^```$/gm);
  for (const [, block = ""] of blocks) {
    if (block.startsWith(`# ${title}\n`)) return block;
  }
  throw new Error(`${page} has no commands called "${title}".`);
}
