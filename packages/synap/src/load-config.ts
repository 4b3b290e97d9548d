import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Composition } from "@synap/handlers";
import { readProperty } from "@synap/types/internal";
import { defaultApplication, isApplication } from "./config.ts";

/** Location of a config file. */
export interface LoadConfigOptions {
  /** The file, relative to the working directory. Default: the first of {@link CONFIG_FILES} that exists. */
  readonly path?: string | undefined;
  /** The working directory. Default: that of the process. */
  readonly cwd?: string | undefined;
  /** Called with the path of each file that is imported from then on, beginning with the config. Packages are left out. */
  readonly onImport?: ((file: string) => void) | undefined;
}

/** The application of a config file. */
export interface LoadedConfig {
  readonly application: Composition;
  /** The absolute path of the file; undefined if there is none. */
  readonly file: string | undefined;
}

/** Thrown when a config file is missing or invalid. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
  readonly code = "CONFIG_FILE";
  readonly file: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options);
    this.file = file;
  }
}

/** The names of config files. The first one that exists is used. */
export const CONFIG_FILES = ["synap.config.ts", "synap.config.mts", "synap.config.js", "synap.config.mjs"];

/**
 * Loads an application's config file. Without one, the seeded domain runs.
 *
 * @throws ConfigFileError when the file is missing, can't be loaded, or does not export the result of `defineConfig`
 */
export async function loadConfig({
  path,
  cwd = process.cwd(),
  onImport,
}: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const isNamed = path !== undefined && path !== "";
  const file = isNamed
    ? resolve(cwd, path)
    : CONFIG_FILES.map((name) => resolve(cwd, name)).find((each) => existsSync(each));
  if (file === undefined) return { application: defaultApplication, file };
  if (!existsSync(file))
    throw new ConfigFileError(file, "the file does not exist; it was named by --config or SYNAP_CONFIG");
  refuseCommonJs(file);
  const exported = await importFile(file, onImport);
  if (!isApplication(exported)) {
    throw new ConfigFileError(
      file,
      "its default export must be the result of defineConfig: export default defineConfig({ ... })",
    );
  }
  return { application: exported, file };
}

/**
 * Refuses a file that Node.js and TypeScript would read as CommonJS. Synap's packages are ES modules: it would get a second copy of
 * them, or run into a cycle.
 *
 * @throws ConfigFileError
 */
function refuseCommonJs(file: string): void {
  if (!/\.[jt]s$/.test(file)) return;
  const manifest = nearestManifest(dirname(file));
  // Without one, the packages that the config imports are missing too, which importing it reports.
  if (manifest === undefined || readProperty(readManifest(manifest), "type") === "module") return;
  const other = basename(file).replace(/\.(?=[jt]s$)/, ".m");
  throw new ConfigFileError(
    file,
    `it would be read as CommonJS, because ${manifest} has no "type": "module". Run "npm pkg set type=module" there, or call ` +
      `the file ${other}.`,
  );
}

/** The package.json that decides what the files of a folder are. */
function nearestManifest(folder: string): string | undefined {
  const path = join(folder, "package.json");
  if (existsSync(path)) return path;
  return dirname(folder) === folder ? undefined : nearestManifest(dirname(folder));
}

function readManifest(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigFileError(path, "it can't be read as JSON", { cause });
  }
}

async function importFile(file: string, onImport: LoadConfigOptions["onImport"]): Promise<unknown> {
  if (onImport !== undefined) listeners.add(onImport);
  try {
    if (onImport !== undefined || /\.[cm]?ts$/.test(file)) await readTypeScript();
    const loaded: object = await import(pathToFileURL(file).href);
    return "default" in loaded ? loaded.default : undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const cure = isPackageMissing(cause) ? MISSING_PACKAGE : "";
    throw new ConfigFileError(file, `it can't be loaded: ${reason}${placeOf(cause, dirname(file))}${cure}`, {
      cause,
    });
  }
}

/**
 * The line of the application at which an error was thrown, for a mistake such as a misspelt field, which TypeScript's compiler
 * would find but nothing here runs. Errors with a code name the entry themselves.
 */
function placeOf(cause: unknown, folder: string): string {
  if (!(cause instanceof Error) || "code" in cause) return "";
  const paths = [...(cause.stack ?? "").matchAll(/(?:file:\/\/|[ (])(\/[^\n()?]+)[^\n()]*?:(\d+):\d+\)?$/gm)];
  const own = paths.find(
    ([, path = ""]) => path.startsWith(`${folder}/`) && !path.includes("/node_modules/"),
  );
  return own === undefined ? "" : `, at ${relative(folder, own[1] ?? "")}:${own[2]}`;
}

const MISSING_PACKAGE =
  "\nInstall the application's packages next to its config. Synap's own images contain none, so they can't load a config " +
  "that is mounted into them: build an image of the application.";

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

/** Enables TypeScript imports. The config shares the modules of the process, so its error classes are those of the engine. */
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
