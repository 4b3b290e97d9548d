import { cpSync, rmSync } from "node:fs";
import { build } from "esbuild";

// Everything it needs is in dist/, so that an image needs Node.js and nothing else. The embedded engine stays outside: a
// process of its own never opens it, and splitting keeps its import where it is. Some packages are CommonJS and call
// `require` for Node's own modules.
rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/main.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  external: ["@electric-sql/pglite", "tsx"],
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
// The bundle finds the SQL beside itself.
cpSync("../../packages/database/sql", "dist/sql", { recursive: true });
