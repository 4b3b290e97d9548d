import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { productionCommands } from "../src/processes/production-commands.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "docker-compose.yml"), "utf8");
const file: unknown = parse(text, { merge: true });
const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        image: z.string().optional(),
        build: z.object({ target: z.string() }).optional(),
        command: z.array(z.string()).optional(),
        environment: z.record(z.string(), z.string()).default({}),
        ports: z.array(z.string()).default([]),
        healthcheck: z.object({ test: z.array(z.string()) }).optional(),
        volumes: z.array(z.string()).default([]),
        depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
      }),
    ),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(file);
const services = Object.entries(compose.services);
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");

/** The compose specification's own JSON schema, as the linter dclint ships it. */
function composeSchema(): object {
  const package_ = createRequire(import.meta.url).resolve("dclint/package.json");
  const schema = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(dirname(package_), "schemas", "compose.schema.json"), "utf8")));
  // It names draft 7 with https, which no validator knows as a name.
  return { ...schema, $schema: "http://json-schema.org/draft-07/schema#" };
}

/** The compose file to try an application out, as the page has it. `!reset` leaves its place empty, as when Compose merges. */
function overrideOfPage(): unknown {
  const page = readFileSync(join(root, "docs/your-own-application.md"), "utf8");
  const [, block] = /```yaml\n# docker-compose\.override\.yml.*?\n(.*?)```/s.exec(page) ?? [];
  if (block === undefined)
    throw new Error("docs/your-own-application.md has no docker-compose.override.yml.");
  return parse(block, { customTags: [{ tag: "!reset", resolve: () => undefined }] });
}

const service = z.looseObject({ command: z.array(z.string()).optional() });
const overridden = z.object({ services: z.record(z.string(), service) });

describe("docker-compose.yml", () => {
  it("keeps the compose specification, also with the override that mounts an application", () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(composeSchema());
    const base = overridden.parse(file);
    const override = overridden.parse(overrideOfPage());
    expect(Object.keys(override.services)).toEqual(Object.keys(productionCommands));
    const merged = Object.entries(override.services).map(([name, changes]) => {
      const { build, ...kept } = { ...base.services[name], ...changes };
      expect([name, build, changes.command]).toEqual([name, undefined, ["node_modules/.bin/synap", name]]);
      return [name, kept];
    });
    validate({ ...base, services: { ...base.services, ...Object.fromEntries(merged) } });
    expect(validate.errors).toBeNull();
    validate(file);
    expect(validate.errors).toBeNull();
    validate({ services: { api: { image: 5 } } });
    expect(validate.errors).not.toBeNull();
  });

  it("runs Synap with the commands that the tests of separate processes run", () => {
    // The images say what runs, so that the same file runs those of an application.
    const own = services.filter(([, { build }]) => build);
    expect(own.map(([name, { build }]) => [name, build?.target])).toEqual(
      Object.keys(productionCommands).map((name) => [name, name]),
    );
    expect(own.flatMap(([, { command }]) => command ?? [])).toEqual([]);
    for (const [target, command] of Object.entries(productionCommands)) {
      const stage = dockerfile
        .split(/^FROM /m)
        .find((part) => part.split("\n")[0]?.endsWith(` AS ${target}`));
      expect(stage).toContain(`CMD ${JSON.stringify(command).replaceAll(",", ", ")}`);
    }
  });

  it("installs from every manifest that the lockfile was made of", () => {
    const manifests = ["apps", "packages"].flatMap((folder) =>
      readdirSync(join(root, folder)).map((room) => `${folder}/${room}/package.json`),
    );
    for (const manifest of [
      ...manifests,
      "scripts/package.json",
      "bench/package.json",
      "pnpm-workspace.yaml",
    ]) {
      expect(existsSync(join(root, manifest)), manifest).toBe(true);
      expect(dockerfile.slice(0, dockerfile.indexOf("pnpm@12 install"))).toContain(manifest);
    }
  });

  it("has no default for any secret: each must be given, or nothing starts", () => {
    // A public client of an identity provider has none. Empty is no default.
    const isOptional = (name: string) => name === "SYNAP_OIDC_CLIENT_SECRET";
    const secret = { test: (name: string) => /password|secret|token|_key$/i.test(name) && !isOptional(name) };
    expect(compose.services["api"]?.environment["SYNAP_OIDC_CLIENT_SECRET"]).toBe(
      ["${", "SYNAP_OIDC_CLIENT_SECRET:-}"].join(""),
    );
    const variables = [...text.matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)];
    const secrets = variables.filter(([, name = ""]) => secret.test(name));
    expect(new Set(secrets.map(([, name]) => name)).size).toBe(6);
    for (const [whole, , rest = ""] of secrets) expect(rest, whole).toMatch(/^:\?./);
    for (const [name, { environment }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (secret.test(key) || /:\/\/[^/]*:[^/]*@/.test(value))
          expect(value, `${name} ${key}`).toContain(":?");
      }
    }
  });

  it("names every secret in .env.example and gives none a value", () => {
    const example = readFileSync(join(root, ".env.example"), "utf8");
    for (const [, name] of text.matchAll(/\$\{([A-Z_]+):\?/g))
      expect(example).toMatch(new RegExp(`^${name}=$`, "m"));
  });

  it("checks the health of every service that stays, and keeps data in named volumes", () => {
    for (const [name, service] of services) {
      if (name !== "migrate") expect(service.healthcheck?.test.length, name).toBeGreaterThan(1);
      for (const volume of service.volumes)
        expect(Object.keys(compose.volumes)).toContain(volume.split(":")[0]);
    }
    expect(compose.services["timescaledb"]?.volumes).toHaveLength(1);
    expect(compose.services["api"]?.depends_on["migrate"]?.condition).toBe("service_completed_successfully");
  });

  it("publishes nothing beyond this machine", () => {
    for (const [name, { ports }] of services) {
      for (const port of ports) expect(port, name).toMatch(/^(\$\{SYNAP_API_PUBLISH:-)?127\.0\.0\.1:/);
    }
    expect(compose.services["timescaledb"]?.ports).toEqual([]);
  });

  it("pins every image to a version", () => {
    for (const [name, { image }] of services) if (image) expect(image, name).toMatch(/:v?\d/);
  });
});
