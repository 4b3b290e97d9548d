import type { ReadModel } from "@synap/handlers";
import { componentOf } from "@synap/handlers/internal";
import { HTTP_RESOURCES, READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import type { ApiApp } from "../api-dependencies.ts";

const SECURITY_SCHEMES = {
  adminToken: { type: "http", scheme: "bearer", description: "The token in SYNAP_ADMIN_TOKEN." },
} as const;

/** Registers the schemas of bodies and responses in the document, as Zod converts them to JSON Schema 2020-12. */
export function registerComponents(app: ApiApp, readModels: readonly ReadModel[]): void {
  const responses = readModels.map((model) => [componentOf(model), model.response] as const);
  const own = Object.entries(HTTP_RESOURCES).filter(([name]) => !(name in READ_MODEL_RESOURCES));
  for (const [name, schema] of [...own, ...responses]) {
    const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input" });
    // The round trip through JSON removes what the document can't contain.
    app.openAPIRegistry.registerComponent("schemas", name, JSON.parse(JSON.stringify(described)));
  }
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
}
