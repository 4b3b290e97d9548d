import { readFile } from "node:fs/promises";

declare global {
  namespace WebAssembly {
    // Only browsers' types have these.
    interface Module {}
    function compile(bytes: Uint8Array): Promise<Module>;
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The embedded engine's WebAssembly, compiled once for all engines that a process opens. Each runs in a thread of its own,
 * which would compile it again and start with unoptimised code: half of what opening an engine costs.
 */
export function compiledEngine(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<WebAssembly.Module> {
  const file = new URL("pglite.wasm", import.meta.resolve("@electric-sql/pglite"));
  return WebAssembly.compile(await readFile(file));
}
