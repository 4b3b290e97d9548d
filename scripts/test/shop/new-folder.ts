import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { read, readPage, root } from "../docs/documentation.ts";

const SHOP = "examples/shop";

/** The tutorial. */
export const tutorial = readPage(`${SHOP}/README.md`, read(`${SHOP}/README.md`));

/** A file of the shop as its tutorial shows it. */
export interface ShownFile {
  readonly path: string;
  readonly text: string;
}

/** The files that the tutorial shows: a comment in the first line has the path, or the info string where JSON has no comments. */
export const shownFiles: readonly ShownFile[] = tutorial.blocks.flatMap(({ info, text }) => {
  const json = /^json (\S+)$/.exec(info)?.[1];
  if (json !== undefined) return [{ path: json, text: `${text}\n` }];
  const [first = "", ...rest] = text.split("\n");
  const path = /^(?:\/\/|--) ([\w./-]+\.(?:ts|sql))$/.exec(first)?.[1];
  return path === undefined ? [] : [{ path, text: `${rest.join("\n")}\n` }];
});

/** The commands of the tutorial, block by block. */
export const shownCommands: readonly string[] = tutorial.blocks
  .filter(({ info }) => info === "bash")
  .map(({ text }) => text);

export const shopManifest = z
  .object({
    scripts: z.record(z.string(), z.string()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read(`${SHOP}/package.json`)));

/**
 * Puts packages into a folder as `npm install` would, with the sources of this repository in the place of what npm has:
 * `npx synap` and the scripts of package.json run them. `start` and `dev` take free ports.
 *
 * @param dev false stands for `--omit=dev`
 */
export function installInto(folder: string, { dev = true }: { readonly dev?: boolean } = {}): void {
  const modules = join(folder, "node_modules");
  const link = (target: string, path: string) => {
    mkdirSync(dirname(join(modules, path)), { recursive: true });
    symlinkSync(target, join(modules, path));
  };
  const installed = join(root, SHOP, "node_modules");
  const { dependencies, devDependencies } = shopManifest;
  for (const name of Object.keys({ ...dependencies, ...(dev && devDependencies) }))
    link(join(installed, name), name);
  mkdirSync(join(modules, ".bin"), { recursive: true });
  if (dev)
    for (const name of ["tsc", "tsx", "vitest"]) link(join(installed, ".bin", name), join(".bin", name));
  const program = `"${process.execPath}" --import "${import.meta.resolve("tsx")}" "${join(root, "apps/cli/src/synap-cli.ts")}"`;
  writeFileSync(
    join(modules, ".bin/synap"),
    `#!/bin/sh
case "$1" in
  start | dev) exec ${program} "$@" --port 0 --worker-port 0 --broker-port 0 ;;
  *) exec ${program} "$@" ;;
esac
`,
    { mode: 0o755 },
  );
}

/** Writes the files that the tutorial shows. */
export function writeShownFiles(folder: string): void {
  for (const { path, text } of shownFiles) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A shell in which `npm install` puts in the sources of this repository, and every other command is what it is. */
export const withInstall = (commands: string): string => `
npm() {
  if [ "$1" = install ]; then shift; printf '%s\\n' "$@" >> "$INSTALLED"; else command npm "$@"; fi
}
${commands}`;

/** The path of the repository's own file of this name in the shop. */
export const shopFile = (path: string): string =>
  fileURLToPath(new URL(`../../../${SHOP}/${path}`, import.meta.url));
