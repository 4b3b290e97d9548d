import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../src/index.ts";
import { defaultApplication } from "../src/internal.ts";

const synap = pathToFileURL(join(import.meta.dirname, "../src/index.ts")).href;

describe("the config file", () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "synap-config-"));
    write("package.json", '{ "type": "module" }');
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(cwd, name), text);

  it("is found in the working directory", async () => {
    write("synap.config.mjs", `import { defineConfig } from "${synap}"; export default defineConfig({});`);
    const { file, application } = await loadConfig({ cwd });
    expect(file).toBe(join(cwd, "synap.config.mjs"));
    expect(application.catalogue.types).toEqual([]);
  });

  it.each([
    ['{ "type": "commonjs" }', "synap.config.ts", 'package.json has no "type": "module"'],
    ["{}", "synap.config.js", 'package.json has no "type": "module"'],
    ["no JSON", "synap.config.ts", "can't be read as JSON"],
  ])(
    "is refused where it would be read as CommonJS, with the cure: %s, %s",
    async (content, name, reason) => {
      write("package.json", content);
      write(name, `import { defineConfig } from "${synap}"; export default defineConfig({});`);
      const refusal = await loadConfig({ cwd }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "CONFIG_FILE", message: expect.stringContaining(reason) });
      rmSync(join(cwd, name));
      write("synap.config.mts", `import { defineConfig } from "${synap}"; export default defineConfig({});`);
      expect((await loadConfig({ cwd })).application.catalogue.types).toEqual([]);
    },
  );

  it("may be missing: the seeded domain runs then", async () => {
    expect(await loadConfig({ cwd, path: "" })).toEqual({ application: defaultApplication, file: undefined });
  });

  it.each([
    ["named.mjs", undefined, "the file does not exist; it was named by --config or SYNAP_CONFIG"],
    ["broken.mjs", "export default nothing;", "it can't be loaded: nothing is not defined"],
    [
      "plain.mjs",
      "export default { handlers: [] };",
      "its default export must be the result of defineConfig: export default defineConfig({ ... })",
    ],
    [
      "misspelt.mjs",
      `import { defineConfig } from "${synap}"; export default defineConfig({ module: [] });`,
      'it can\'t be loaded: config: unknown key "module" (did you mean "modules"?)',
    ],
    [
      "field.ts",
      `import { defineConfig, defineHandler } from "${synap}";\nconst handler = {\n  name: "h",\n  evnts: [] };\n` +
        "export default defineConfig({\n  handlers: [\n    defineHandler(handler as never),\n  ],\n});",
      "it can't be loaded: Cannot read properties of undefined (reading 'map'), at field.ts:7",
    ],
    [
      "twice.mjs",
      `import { defineConfig, seededDomain } from "${synap}"; export default defineConfig({ modules: [seededDomain, seededDomain] });`,
      "it can't be loaded: modules[1].eventTypes[0]: the event type",
    ],
  ])("%s is refused with its name and the reason", async (name, text, reason) => {
    if (text !== undefined) write(name, text);
    await expect(loadConfig({ cwd, path: name })).rejects.toMatchObject({
      code: "CONFIG_FILE",
      message: expect.stringContaining(`${join(cwd, name)}: ${reason}`),
    });
  });
});
