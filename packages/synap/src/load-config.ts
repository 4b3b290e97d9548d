import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Composition } from "@synap/handlers";
import { defaultApplication, isApplication } from "./config.ts";

/** Location of a config file. */
export interface ConfigPlace {
  /** The file, relative to the working directory. Undefined or empty: one of {@link CONFIG_FILES}, if there is one. */
  readonly path?: string | undefined;
  /** The working directory. Default: that of the process. */
  readonly cwd?: string | undefined;
  /** Called with the path of each file that is imported from then on, the config itself first. Packages are left out. */
  readonly onImport?: ((file: string) => void) | undefined;
}

/** The application of a config file. */
export interface LoadedConfig {
  readonly application: Composition;
  /** The file, as an absolute path; undefined when there is none. */
  readonly file: string | undefined;
}

/** A config file can't be used. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
  readonly code = "CONFIG_FILE";
  readonly file: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options);
    this.file = file;
  }
}

/** The names of config files, the first one found counts. */
export const CONFIG_FILES = ["synap.config.ts", "synap.config.mts", "synap.config.js", "synap.config.mjs"];

/**
 * Loads an application's config file. Without one, the seeded domain runs.
 *
 * @throws ConfigFileError when the file is missing, can't be loaded, or exports something else than `defineConfig` gives
 */
export async function loadConfig({
  path,
  cwd = process.cwd(),
  onImport,
}: ConfigPlace = {}): Promise<LoadedConfig> {
  const isNamed = path !== undefined && path !== "";
  const file = isNamed
    ? resolve(cwd, path)
    : CONFIG_FILES.map((name) => resolve(cwd, name)).find((each) => existsSync(each));
  if (file === undefined) return { application: defaultApplication, file };
  if (!existsSync(file))
    throw new ConfigFileError(file, "there is no such file; --config or SYNAP_CONFIG names it");
  const exported = await importFile(file, onImport);
  if (!isApplication(exported)) {
    throw new ConfigFileError(
      file,
      "its default export must be what defineConfig gives: export default defineConfig({ ... })",
    );
  }
  return { application: exported, file };
}

async function importFile(file: string, onImport: ConfigPlace["onImport"]): Promise<unknown> {
  if (onImport !== undefined) listeners.add(onImport);
  try {
    if (onImport !== undefined || /\.[cm]?ts$/.test(file)) await readTypeScript();
    const loaded: object = await import(pathToFileURL(file).href);
    return "default" in loaded ? loaded.default : undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const cure = isPackageMissing(cause) ? MISSING_PACKAGE : "";
    throw new ConfigFileError(file, `it can't be loaded: ${reason}${cure}`, { cause });
  }
}

const MISSING_PACKAGE =
  "\nInstall the packages of the application beside its config. Synap's own images hold none, so a config that is mounted " +
  "into one can't be loaded: build an image of the application.";

function isPackageMissing(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    "code" in cause &&
    cause.code === "ERR_MODULE_NOT_FOUND" &&
    cause.message.includes("package")
  );
}

let typeScript: Promise<unknown> | undefined;
const listeners = new Set<(file: string) => void>();

/** Lets this process import TypeScript. The config shares the modules of the process, so its error classes are the engine's. */
function readTypeScript(): Promise<unknown> {
  typeScript ??= import("tsx/esm/api").then(({ register }) =>
    register({
      onImport(url) {
        if (!url.startsWith("file:") || url.includes("/node_modules/")) return;
        for (const listener of listeners) listener(fileURLToPath(url));
      },
    }),
  );
  return typeScript;
}
