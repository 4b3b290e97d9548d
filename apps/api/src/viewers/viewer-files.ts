import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

/** The source of each file that the viewers' pages load: a file of a package, or one of `apps/api/viewers`. */
const SOURCES = {
  "page.css": "../../viewers/page.css",
  "swagger-page.js": "../../viewers/swagger-page.js",
  "redoc-page.js": "../../viewers/redoc-page.js",
  "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
  "swagger-ui.js": "swagger-ui-dist/swagger-ui-bundle.js",
  "redoc.js": "redoc/bundles/redoc.standalone.js",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a file, as the pages write it. */
export type ViewerFile = keyof typeof SOURCES;

/** The names of all files. */
export const VIEWER_FILES = Object.keys(SOURCES).filter(isViewerFile);

/** True for the name of a file. */
export function isViewerFile(name: string): name is ViewerFile {
  return Object.hasOwn(SOURCES, name);
}

/** Reads a file, compressed with gzip: the copy beside the bundle, or else the original. */
export function readViewerFile(name: ViewerFile): Buffer {
  const copy = new URL(`viewers/${name}.gz`, import.meta.url);
  return existsSync(copy) ? readFileSync(copy) : compressViewerFile(name);
}

/** Reads the original of a file from the packages or the sources, and compresses it. */
export function compressViewerFile(name: ViewerFile): Buffer {
  return gzipSync(readFileSync(createRequire(import.meta.url).resolve(SOURCES[name])), { level: 9 });
}
