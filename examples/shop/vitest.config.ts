import { defineConfig } from "vitest/config";

// The store in memory is a PostgreSQL in WebAssembly: it takes seconds to start on a small machine.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
