import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createTestDatabase, testEngines } from "@synap/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type RunningCommand, runCommand } from "../src/processes/run-command.ts";
import { readManifest } from "../src/release/workspace-packages.ts";
import { NODE_RELEASES, nodeRuntime } from "./processes/npm-runtimes.ts";
import { buildPublicPackages, packPackages, publicPackages, root } from "./processes/public-packages.ts";

const run = promisify(execFile);
const VITE = "vite@8.3.6";
const FREE = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];

/** Reads the output of the visit from the shop's tutorial. */
function visitOutput(): string {
  const page = readFileSync(join(root, "examples/shop/README.md"), "utf8");
  const [, output] = /npm run --silent visit\n```\n+```text output\n(.*?)\n```/s.exec(page) ?? [];
  if (output === undefined) throw new Error("examples/shop/README.md does not show what the visit prints.");
  return output;
}

const TYPESCRIPT = readManifest(
  readFileSync(join(root, "node_modules/typescript/package.json"), "utf8"),
).version;

let folder: string;
let tarballs: ReadonlyMap<string, string>;
/** npm as the machine has set it up, and nothing else of the caller's home or of the workspace. */
let environment: Record<string, string>;

async function npm(project: string, ...args: string[]): Promise<void> {
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", [...args, ...quietly], { cwd: project, env: environment });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "synap-install-"));
  mkdirSync(join(folder, "home"));
  const setting = (name: string) =>
    execFileSync("npm", ["config", "get", name], { cwd: folder, encoding: "utf8" }).trim();
  environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    npm_config_cache: setting("cache"),
    npm_config_registry: setting("registry"),
  };
  await buildPublicPackages();
  tarballs = await packPackages(
    folder,
    publicPackages.map(({ manifest }) => manifest),
  );
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(publicPackages)("the package $manifest.name, packed", ({ manifest: { name } }) => {
  const tarball = () => tarballs.get(name) ?? "";
  const bin = (program: string) => join(root, "scripts/node_modules/.bin", program);

  it("depends on nothing of the workspace", async () => {
    const { stdout } = await run("tar", ["xOf", tarball(), "package/package.json"]);
    const ranges = Object.values(readManifest(stdout).dependencies);
    expect(ranges.filter((range) => /workspace:|catalog:/.test(range))).toEqual([]);
  });

  it("holds JavaScript with declarations, its licence and its README, and no sources or tests", async () => {
    const { stdout } = await run("tar", ["tf", tarball()]);
    const files = stdout.trim().split("\n");
    expect(files).toEqual(expect.arrayContaining(["package/LICENSE", "package/README.md"]));
    expect(files.filter((file) => /\.test\.|\.type-test\.|^package\/src\//.test(file))).toEqual([]);
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  });

  it("is clean for publint and for the types of every resolution that ESM has", async () => {
    await run(bin("publint"), ["--strict", tarball()]);
    await run(bin("attw"), [tarball(), "--profile", "esm-only"]);
  });
});

describe("the client alone, installed by npm into an empty project", () => {
  let project: string;
  const execute = (program: string, ...args: string[]) =>
    run(join(project, "node_modules/.bin", program), args, { cwd: project, env: environment });

  beforeAll(async () => {
    project = join(folder, "lone-client");
    cpSync(join(import.meta.dirname, "lone-client"), project, { recursive: true });
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "lone-client", private: true }));
    await npm(project, "install", tarballs.get("@synap/client") ?? "");
  }, 300_000);

  it("is the only package that is installed", () => {
    expect(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "@synap",
    ]);
    expect(readdirSync(join(project, "node_modules/@synap"))).toEqual(["client"]);
  });

  it("gives its types to a strict project that checks declarations, and refuses what is misspelt", async () => {
    await npm(project, "install", "--save-dev", `typescript@${TYPESCRIPT}`);
    expect(await execute("tsc")).toEqual({ stdout: "", stderr: "" });
  }, 300_000);

  it("takes at most 12 kB in a bundle that Vite makes for a browser", async () => {
    await npm(project, "install", "--save-dev", VITE);
    await execute("vite", "build");
    const assets = join(project, "dist/assets");
    const sizes = readdirSync(assets).map((file) => gzipSync(readFileSync(join(assets, file))).length);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThanOrEqual(12_000);
  }, 300_000);
});

describe("examples/shop outside the workspace, with the packed packages installed by npm", () => {
  let application: string;
  const installed = (...path: string[]) => join(application, "node_modules", ...path);

  /** Runs a program in the application's folder to its end, whether it succeeds or not. */
  async function attempt(
    program: string,
    args: readonly string[],
    variables: Record<string, string> = {},
  ): Promise<{ code: number; output: string }> {
    const failed = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });
    return run(program, args, { cwd: application, env: { ...environment, ...variables } }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: unknown) => {
        const { code, stdout, stderr } = failed.parse(error);
        return { code, output: stdout + stderr };
      },
    );
  }

  beforeAll(async () => {
    // Packed as well, so that its dependencies are written out.
    const shop = readManifest(readFileSync(join(root, "examples/shop/package.json"), "utf8"));
    const packed = await packPackages(folder, [shop]);
    await run("tar", ["xf", packed.get(shop.name) ?? "", "-C", folder]);
    application = join(folder, "package");
    cpSync(join(import.meta.dirname, "installed-application"), application, { recursive: true });
    await npm(application, "install", ...tarballs.values());
    // npm decides anew what is needed with every further package, and from the lockfile alone.
    await npm(application, "install", "--save-dev", VITE);
    await npm(application, "ci");
  }, 600_000);

  it("compiles, strictly and with the declarations of everything it imports", async () => {
    const { output } = await attempt(installed(".bin/tsc"), ["--skipLibCheck", "false"]);
    // drizzle-orm's own declarations name drivers that nobody has to install, and don't compile by themselves.
    const faults = output.split("\n").filter((line) => /^\S/.test(line) && !line.includes("/drizzle-orm/"));
    expect(faults).toEqual([]);
  });

  it("compiles what runs in a browser without Node's types", async () => {
    const compiled = await attempt(installed(".bin/tsc"), ["-p", "tsconfig.browser.json"]);
    expect(compiled).toEqual({ code: 0, output: "" });
  });

  it("bundles the client for a browser with Vite, in at most 12 kB", async () => {
    const { code, output } = await attempt(installed(".bin/vite"), ["build"]);
    expect(code, output).toBe(0);
    const assets = join(application, "dist/assets");
    const sizes = readdirSync(assets).map((file) => gzipSync(readFileSync(join(assets, file))).length);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThanOrEqual(12_000);
  });

  it("gets a client without dependencies, and no driver that needs a patch", () => {
    const client = readManifest(readFileSync(installed("@synap/client/package.json"), "utf8"));
    expect([client.dependencies, client["peerDependencies"]]).toEqual([{}, undefined]);
    expect(existsSync(installed("postgres"))).toBe(false);
  });

  it("gets the pages of the API, below 900 kB, and not the packages that they come from", () => {
    const viewers = installed("@synap/synap/dist/cli/viewers");
    const sizes = readdirSync(viewers).map((file) => readFileSync(join(viewers, file)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(900_000);
    expect(["redoc", "swagger-ui-dist"].filter((name) => existsSync(installed(name)))).toEqual([]);
  });

  it.runIf(testEngines().includes("server"))(
    "gets the right answer on a server's session in which a statement failed after it had sent rows",
    async () => {
      const test = await createTestDatabase("server", "empty");
      const url = "url" in test.options ? String(test.options.url) : "";
      const program = ["--import", "tsx", "failing-statement.ts", url];
      const { output } = await attempt(process.execPath, program).finally(() => test.drop());
      expect(output.trim()).toBe(JSON.stringify({ code: "22012", next: [{ one: 1 }] }));
    },
  );

  describe.each(NODE_RELEASES)("on Node.js %s", (release) => {
    let node: string;
    let synap: RunningCommand | undefined;

    beforeAll(() => {
      node = nodeRuntime(release);
    }, 300_000);
    afterAll(async () => {
      synap?.child.kill("SIGKILL");
      await synap?.ended;
    });

    it("passes its own tests", async () => {
      const { code, output } = await attempt(node, [installed("vitest/vitest.mjs"), "run"]);
      expect(code, output).toBe(0);
      expect(output).toMatch(/Tests .*\d+ passed/);
    });

    it("runs with synap start, serves the client and its read models, and ends on SIGTERM", async () => {
      const script = 'cd "$1" && shift && exec env -i "$@"';
      const path = `PATH=${dirname(node)}${delimiter}${environment["PATH"]}`;
      const data = `data-${release}`;
      synap = runCommand(
        ["sh", "-c", script, "sh", application, path, `HOME=${environment["HOME"]}`],
        [installed(".bin/synap"), "start", "--data", data, ...FREE],
      );
      await synap.waitFor(/Ctrl-C stops it\./, 180_000);
      const [, url = ""] = await synap.waitFor(/^ {2}API +(http:\S+)$/m);

      const token = readFileSync(join(application, data, "api-key"), "utf8").trim();
      const client = { SYNAP_URL: url, SYNAP_TOKEN: token };
      const visit = await attempt(node, ["--import", "tsx", "scripts/visit.ts"], client);
      expect(visit.output.trim()).toBe(visitOutput());
      const { code, output } = await attempt(node, ["--version"]);
      expect([code, output.trim()]).toEqual([0, `v${release}`]);
      const response = await fetch(`${url}/api/v1/customer-orders?customer=nobody`);
      expect([response.status, await response.json()]).toEqual([200, { orders: [] }]);
      const viewer = await fetch(`${url}/viewers/swagger-ui.js`);
      expect([viewer.status, await viewer.text()]).toEqual([200, expect.stringContaining("SwaggerUIBundle")]);

      synap.child.kill("SIGTERM");
      expect(await synap.ended, synap.output()).toBe(0);
    });
  });
});
