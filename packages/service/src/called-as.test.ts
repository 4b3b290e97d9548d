import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findCaller } from "./called-as.ts";

const folder = mkdtempSync(join(tmpdir(), "synap-called-as-"));
const manifest = join(folder, "package.json");
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(
  manifest,
  JSON.stringify({
    scripts: {
      start: "exec node scripts/bootstrap.mjs start",
      synap: "tsx apps/cli/src/synap-cli.ts",
      load: "tsx apps/cli/src/synap-cli.ts load",
      "bench:quick": "tsx bench/src/bench.ts --quick",
      test: "vitest run",
      events: "synap start --data events",
      backbone: "synap",
      both: "synap start & vite",
    },
  }),
);

const NPM = "npm/11.0.0 node/v24.0.0 linux x64 workspaces/false";
const PNPM = "pnpm/12.1.0 npm/? node/? linux x64";
/** A script of the package.json above, run by a package manager. */
const script = (name: string, agent: string, path = "/usr/bin/pnpm") => ({
  npm_lifecycle_event: name,
  npm_package_json: manifest,
  npm_config_user_agent: agent,
  npm_execpath: path,
});
/** Spelt in parts, because the documents of this repository recommend npm for this script. */
const [PNPM_START, PNPM_12_START] = ["pnpm", "pnpm@12"].map((pnpm) => `${pnpm} start`);
const FETCHED = "/root/.npm/_npx/9c7067/node_modules/pnpm/pnpm";

function callerOf(
  variables: NodeJS.ProcessEnv,
  isRepository: boolean,
  path = "/app/node_modules/.bin/synap",
) {
  return findCaller({ variables, isRepository, path });
}

describe("the command that was typed, in the repository", () => {
  it.each([
    ["start", script("start", NPM), "npm start -- --port 1", "npm start"],
    ["start", script("start", PNPM), `${PNPM_START} --port 1`, PNPM_START],
    ["start", script("start", PNPM, FETCHED), `npx -y ${PNPM_12_START} --port 1`, `npx -y ${PNPM_12_START}`],
    ["load", script("load", NPM), "npm run load -- --port 1", "npm start"],
    ["load", script("load", PNPM, FETCHED), "npx -y pnpm@12 load --port 1", "npm start"],
    ["load", script("synap", PNPM, FETCHED), "npx -y pnpm@12 synap load --port 1", "npm start"],
    ["bench", script("bench:quick", PNPM), "pnpm bench:quick --port 1", "npm start"],
    ["bench", {}, "npx -y pnpm@12 bench --port 1", "npm start"],
    ["load", script("test", NPM), "npx -y pnpm@12 synap load --port 1", "npm start"],
    ["load", {}, "npx -y pnpm@12 synap load --port 1", "npm start"],
  ])("%s: %j", (program, variables, typed, start) => {
    const caller = callerOf(variables, true);
    expect(caller.command(program, "--port 1")).toBe(typed);
    expect(caller.command(program)).toBe(typed.replace(/( --)? --port 1$/, ""));
    expect(caller.start).toBe(start);
  });
});

describe("the command that was typed, in an application", () => {
  it.each([
    [script("events", NPM), "npm run events -- --port 1", "npx synap status"],
    [script("events", PNPM), "pnpm events --port 1", "pnpm exec synap status"],
    [script("backbone", NPM), "npm run backbone -- start --port 1", "npm run backbone -- status"],
    [script("backbone", "yarn/4.1.0 npm/? node/v24"), "yarn backbone start --port 1", "yarn backbone status"],
    [script("both", NPM), "npx synap start --port 1", "npx synap status"],
    [script("test", "bun/1.4.4 npm/? node/v24"), "bunx synap start --port 1", "bunx synap status"],
    [
      { npm_lifecycle_event: "npx", npm_config_user_agent: NPM },
      "npx synap start --port 1",
      "npx synap status",
    ],
    [
      { npm_config_user_agent: PNPM, npm_execpath: FETCHED },
      "npx -y pnpm@12 exec synap start --port 1",
      "npx -y pnpm@12 exec synap status",
    ],
    [{ PATH: "/usr/bin:/app/node_modules/.bin" }, "synap start --port 1", "synap status"],
    [{ PATH: "/usr/bin" }, "npx synap start --port 1", "npx synap status"],
  ])("%j", (variables, typed, other) => {
    const caller = callerOf(variables, false);
    expect(caller.command("start", "--port 1")).toBe(typed);
    expect(caller.start).toBe(typed.replace(/( --)? --port 1$/, ""));
    expect(`${caller.synap} status`).toBe(other);
  });
});
