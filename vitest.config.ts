import { defineConfig } from "vitest/config";

// Three suites, one config: `pnpm test` (fast), `pnpm test:faults` (kills processes), `pnpm test:soak` (long).
const suite = process.env["SYNAP_SUITE"] ?? "fast";
const slow = ["**/*.fault.test.ts", "**/*.soak.test.ts"];

export default defineConfig({
  test: {
    include: suite === "fast" ? ["**/*.test.ts"] : [`**/*.${suite}.test.ts`],
    exclude: ["**/node_modules/**", "**/dist/**", ...(suite === "fast" ? slow : [])],
    // Every embedded engine is a PostgreSQL in WebAssembly: half a gigabyte and one core while it works.
    maxWorkers: 2,
    fileParallelism: suite === "fast",
    testTimeout: suite === "fast" ? 30_000 : 600_000,
    hookTimeout: 60_000,
    reporters: process.env["CI"] ? ["default", "json"] : ["default"],
    outputFile: { json: `test-results/${suite}.json` },
  },
});
