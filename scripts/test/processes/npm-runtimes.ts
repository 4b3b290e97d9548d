import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { root } from "./public-packages.ts";

/** The releases of Node.js that an application may run on: the last of each line when this was written. */
export const NODE_RELEASES = ["20.20.2", "22.23.3", "24.21.0"] as const;
/** The release of Bun that the client is tested with. */
const BUN_RELEASE = "1.4.4";
/** The release of workerd, the runtime of Cloudflare Workers, that the client is tested with. */
const WORKERD_RELEASE = "1.20261117.1";

const cache = join(root, "node_modules/.cache/npm-runtimes");

/** The program of a release of Node.js. */
export function nodeRuntime(release: string): string {
  return programOf(`node-${platform() === "win32" ? "win" : platform()}-${arch()}`, release, "node");
}

/** The program of Bun, in the build for processors without AVX2. */
export function bunRuntime(): string {
  const processor = arch() === "arm64" ? "aarch64" : `${arch()}-baseline`;
  return programOf(`@oven/bun-${platform()}-${processor}`, BUN_RELEASE, "bun");
}

/** The program of workerd. */
export function workerdRuntime(): string {
  const processor = arch() === "x64" ? "64" : arch();
  return programOf(`@cloudflare/workerd-${platform()}-${processor}`, WORKERD_RELEASE, "workerd");
}

/** A program in a package of the npm registry; downloaded once and kept. */
function programOf(name: string, release: string, program: string): string {
  const folder = join(cache, `${name.replace("/", "-")}-${release}`);
  const path = join("node_modules", name, "bin", program);
  if (!existsSync(join(folder, path))) {
    mkdirSync(cache, { recursive: true });
    const draft = mkdtempSync(join(cache, "draft-"));
    const install = ["install", "--prefix", draft, "--no-audit", "--no-fund", "--prefer-offline"];
    execFileSync("npm", [...install, `${name}@${release}`], { stdio: ["ignore", "ignore", "inherit"] });
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  }
  return join(folder, path);
}
