import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { root } from "./public-packages.ts";

/** The releases of Node.js that an application may run on: the last of each line when this was written. */
export const NODE_RELEASES = ["20.20.2", "22.23.3", "24.21.0"] as const;

const cache = join(root, "node_modules/.cache/node-runtimes");

/** The program of a release of Node.js, from the npm registry; downloaded once and kept. */
export function nodeRuntime(release: string): string {
  const folder = join(cache, release);
  const name = `node-${platform() === "win32" ? "win" : platform()}-${arch()}`;
  const program = join("node_modules", name, "bin", "node");
  if (!existsSync(join(folder, program))) {
    mkdirSync(cache, { recursive: true });
    const draft = mkdtempSync(join(cache, "draft-"));
    const install = ["install", "--prefix", draft, "--no-audit", "--no-fund", "--prefer-offline"];
    execFileSync("npm", [...install, `${name}@${release}`], { stdio: ["ignore", "ignore", "inherit"] });
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  }
  return join(folder, program);
}
