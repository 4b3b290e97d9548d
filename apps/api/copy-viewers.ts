import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compressViewerFile, VIEWER_FILES } from "./src/viewers/viewer-files.ts";

// tsx copy-viewers.ts FOLDER: puts the files of the viewers beside a bundle of the API, compressed, with their licences. So an
// installation has what a browser loads, and not the packages with their sources and everything that they depend on.
const [folder = "dist/viewers"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const name of VIEWER_FILES) writeFileSync(join(folder, `${name}.gz`), compressViewerFile(name));
const LICENCES = {
  "swagger-ui.LICENSE.txt": "swagger-ui-dist/LICENSE",
  "swagger-ui.NOTICE.txt": "swagger-ui-dist/NOTICE",
  "swagger-ui.js.LICENSE.txt": "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
  "redoc.LICENSE.txt": "redoc/LICENSE",
  "redoc.js.LICENSE.txt": "redoc/bundles/redoc.standalone.js.LICENSE.txt",
};
const { resolve } = createRequire(import.meta.url);
for (const [name, source] of Object.entries(LICENCES)) copyFileSync(resolve(source), join(folder, name));
