import { execFile, execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { readManifest } from "../src/release/workspace-packages.ts";
import { publicPackages, root } from "./processes/public-packages.ts";
import { makeReleaseCopy } from "./processes/release-copy.ts";

const run = promisify(execFile);

const packument = z.object({
  name: z.string(),
  access: z.string(),
  versions: z.record(z.string(), z.object({ exports: z.record(z.string(), z.unknown()) })),
});

const published: z.output<typeof packument>[] = [];
let copy: string;
let registry: Server;
let url: string;

beforeAll(async () => {
  // An empty registry that takes every package.
  registry = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "PUT")
        published.push(packument.parse(JSON.parse(Buffer.concat(chunks).toString())));
      response.writeHead(request.method === "PUT" ? 201 : 404, { "content-type": "application/json" });
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(registry.address());
  url = `http://127.0.0.1:${port}/`;

  copy = makeReleaseCopy();
  for (const { folder } of publicPackages) {
    // Provenance is signed with the identity of a CI run.
    const manifest = join(copy, folder, "package.json");
    writeFileSync(
      manifest,
      readFileSync(manifest, "utf8").replace('"provenance": true', '"provenance": false'),
    );
  }
  writeFileSync(join(copy, ".npmrc"), `registry=${url}\n//127.0.0.1:${port}/:_authToken=none\n`);
});
afterAll(async () => {
  await new Promise((resolve) => registry.close(resolve));
  rmSync(copy, { recursive: true, force: true });
});

it("the release publishes every public package and no other, with entries that name what is built", async () => {
  const inCopy = `cd "$0" && npm_config_registry="$1" exec node_modules/.bin/changeset publish`;
  await run("npx", ["-y", "--package=pnpm@12", "--", "sh", "-c", inCopy, copy, url], { cwd: root });
  const names = publicPackages.map(({ manifest }) => manifest.name);
  expect(published.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  for (const { name, access, versions } of published) {
    const { version, publishConfig } = readManifest(
      readFileSync(join(root, "packages", name.slice("@synap/".length), "package.json"), "utf8"),
    );
    expect([access, versions]).toMatchObject([
      "public",
      { [version]: { exports: Object(publishConfig).exports } },
    ]);
  }
  const tags = execFileSync("git", ["tag"], { cwd: copy, encoding: "utf8" }).trim().split("\n");
  expect(tags).toHaveLength(names.length);
});
