import { readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { z } from "zod";

// Bundles the programs of apps/cli, apps/api and apps/worker into dist/cli/synap.js, the `synap` that this package installs.
// What an application's config shares with the engine stays outside, so that both have one copy; so do npm packages, which
// are ordinary dependencies. docs/decisions/0021-one-package-to-install.md has the reasons.
const { name, dependencies } = readManifest(".");
for (const other of [
  "../../apps/api",
  "../../apps/cli",
  "../../apps/worker",
  "../archive",
  "../service",
  "../http",
  "../inngest-local",
]) {
  refuseOtherRanges(other);
}
rmSync("dist/cli", { recursive: true, force: true });
await build({
  entryPoints: { synap: "../../apps/cli/src/synap-cli.ts" },
  outdir: "dist/cli",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  plugins: [
    {
      name: "dependencies stay outside, and every other npm package is refused",
      setup({ onResolve }) {
        const outside = [name, ...Object.keys(dependencies)];
        onResolve({ filter: /^[^.]/ }, ({ path, kind, importer }) => {
          if (kind === "entry-point" || path.startsWith("node:")) return undefined;
          if (outside.some((each) => path === each || path.startsWith(`${each}/`)))
            return { path, external: true };
          if (path.startsWith("@synap/")) return undefined;
          return { errors: [{ text: `${path}, imported by ${importer}, is no dependency of ${name}` }] };
        });
      },
    },
  ],
});

function readManifest(folder: string) {
  return z
    .object({ name: z.string(), dependencies: z.record(z.string(), z.string()).default({}) })
    .parse(JSON.parse(readFileSync(`${folder}/package.json`, "utf8")));
}

/** Checks that bundled packages require the same ranges of npm packages as this one, whose dependencies they share. */
function refuseOtherRanges(folder: string): void {
  const other = readManifest(folder);
  for (const [dependency, range] of Object.entries(other.dependencies)) {
    const own = dependencies[dependency];
    if (own !== undefined && own !== range) {
      throw new Error(`${other.name} needs ${dependency} ${range}, and ${name} depends on ${own}.`);
    }
  }
}
