import { defineConfig } from "vitest/config";

// One config, four suites, told apart by the file's name:
//   name.test.ts        fast    `npm test`           everything that needs no process or server of its own
//   name.e2e.test.ts    e2e     `pnpm test:e2e`      whole commands at work, as processes
//   name.fault.test.ts  fault   `pnpm test:faults`   processes and databases killed for real
//   name.soak.test.ts   soak    `pnpm test:soak`     laws held for a minute under load
const suite = process.env["SYNAP_SUITE"] ?? "fast";
const slow = ["**/*.e2e.test.ts", "**/*.fault.test.ts", "**/*.soak.test.ts"];

export default defineConfig({
  test: {
    include: suite === "fast" ? ["**/*.test.ts"] : [`**/*.${suite}.test.ts`],
    exclude: ["**/node_modules/**", "**/dist/**", ...(suite === "fast" ? slow : [])],
    globalSetup: suite === "fast" ? ["packages/database/testing/before-all-tests.ts"] : [],
    // A process runs many files, one after the other, and imports once what they share: 8 s of imports instead of 54.
    // The files of the other suites are few and long.
    isolate: suite !== "fast",
    // One more than the cores of a small machine: many tests wait for a clock or another process. Each embedded engine
    // is a PostgreSQL in WebAssembly and takes half a gigabyte. Whole commands have several processes each, so two of these files
    // are enough; those that kill databases or measure have the machine for themselves.
    maxWorkers: suite === "fast" ? 3 : 2,
    fileParallelism: suite === "fast" || suite === "e2e",
    // Limits end what hangs; they say nothing of how long a test should take. On a machine that is busy with something
    // else it takes many times as long as on a quiet one.
    testTimeout: suite === "fast" ? 180_000 : 600_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 150_000 } },
    reporters: process.env["CI"] ? ["default", "json"] : ["default"],
    outputFile: { json: `test-results/${suite}.json` },
  },
});
