import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { z } from "zod";

const folder = join(import.meta.dirname, "..");

/** A program with one mistake in each line, and a part of the compiler's message about it. */
const MISTAKES: readonly (readonly [line: string, message: string])[] = [
  [
    'defineEventType({ name: "a.b", descripton: "D.", schema: z.strictObject({ size: z.number() }), example: { size: 1 } });',
    "Object literal may only specify known properties, but 'descripton' does not exist in type",
  ],
  [
    'defineEventType({ name: "a.b", description: "D.", schema: z.strictObject({ size: z.coerce.number() }), example: { size: 1 } });',
    "Argument of type",
  ],
  [
    "defineConfig({ eventTypes: [placed], handler: [] });",
    '\\"handler\\" is not a key of a config; the keys are eventTypes, handlers,',
  ],
  [
    "defineConfig({ modules: [{ eventTypes: [placed], projection: [] }] });",
    '\\"projection\\" is not a key of a module; the keys are eventTypes, handlers,',
  ],
  ...["client", "synap"].flatMap((own) => [
    [
      `void ${own}.publish({ type: "order.placed", data: { custmer: "ada", total: 1 } });`,
      "Object literal may only specify known properties, but 'custmer' does not exist in type '{ customer: string; total: number; }'. Did you mean to write 'customer'?",
    ] as const,
    [
      `void ${own}.append({ aggregateType: "order", aggregateId: "o" }, [{ type: "order.sent", data: {} }, { type: "order.placed", data: { custmer: "" } }]);`,
      "Object literal may only specify known properties, but 'custmer' does not exist in type '{ customer: string; total: number; }'. Did you mean to write 'customer'?",
    ] as const,
    [
      `void ${own}.publish({ type: "order.plced", data: {} });`,
      `Type '"order.plced"' is not assignable to type '"order.placed" | "order.sent"'. Did you mean '"order.placed"'?`,
    ] as const,
  ]),
  [
    'void client.publishBatch([{ type: "order.placed", data: { custmer: "ada", total: 1 } }]);',
    "Object literal may only specify known properties, but 'custmer' does not exist in type '{ customer: string; total: number; }'. Did you mean to write 'customer'?",
  ],
  [
    'void scenario.given({ type: "order.placed", data: { custmer: "ada", total: 1 } });',
    "Object literal may only specify known properties, but 'custmer' does not exist in type '{ customer: string; total: number; }'. Did you mean to write 'customer'?",
  ],
  [
    'void client.readModel("customer-order", { customer: "ada" });',
    `Argument of type '"customer-order"' is not assignable to parameter of type '"audit-log" | "compliance" | "customer-orders"'`,
  ],
  [
    'void client.readModel("customer-orders", { custmer: "ada" });',
    "'custmer' does not exist in type '{ customer: string; }'. Did you mean to write 'customer'?",
  ],
  ['void client.waitFor(1, "mailr");', `not assignable to parameter of type '"mailer"'`],
  ["createSynapClient<typeof placed>({ url });", "Type 'EventTypeDefinition<"],
];

const PROGRAM = `
import { createSynapClient } from "@synap/client";
import { z } from "zod";
import { defineConfig, defineEventType, defineHandler, defineReadModel, type Synap, type TypesOf } from "@synap/synap";
import type { ApplicationScenario } from "@synap/synap/testing";
const placed = defineEventType({ name: "order.placed", description: "D.", schema: z.strictObject({ customer: z.string(), total: z.number() }), example: { customer: "ada", total: 1 } });
const sent = defineEventType({ name: "order.sent", description: "D.", schema: z.strictObject({}), example: {} });
const mailer = defineHandler({ name: "mailer", description: "D.", events: [placed], mode: "async", handle: async () => {} });
const orders = defineReadModel({ path: "customer-orders", description: "D.", writtenBy: [], parameters: z.strictObject({ customer: z.string() }), response: z.object({}), read: async () => ({}) });
const config = defineConfig({ eventTypes: [placed, sent], handlers: [mailer], readModels: [orders] });
const url = "http://127.0.0.1:3400";
const client = createSynapClient<typeof config>({ url });
declare const synap: Synap<TypesOf<typeof config>>;
declare const scenario: ApplicationScenario<TypesOf<typeof config>>;
`;

it("says which key or field is misspelt, by the type that it belongs to", async () => {
  const project = mkdtempSync(join(folder, "node_modules/mistakes-"));
  try {
    writeFileSync(join(project, "mistakes.ts"), PROGRAM + MISTAKES.map(([line]) => line).join("\n"));
    const settings = {
      extends: join(folder, "../../tsconfig.base.json"),
      compilerOptions: { noEmit: true, incremental: false },
      include: ["mistakes.ts"],
      exclude: [],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
    const compiler = promisify(execFile)(
      join(folder, "../../node_modules/.bin/tsc"),
      ["--pretty", "false", "-p", "."],
      { cwd: project },
    );
    const { stdout } = await compiler.catch((error: unknown) =>
      z.object({ stdout: z.string() }).parse(error),
    );
    const first = PROGRAM.split("\n").length;
    const messages = [...stdout.matchAll(/^mistakes\.ts\((\d+),\d+\): error TS\d+: (.*(?:\n .*)*)$/gm)].map(
      ([, line = "", message = ""]) => [MISTAKES[Number(line) - first]?.[0], message],
    );
    expect(messages).toEqual(MISTAKES.map(([line, message]) => [line, expect.stringContaining(message)]));
  } finally {
    rmSync(project, { recursive: true });
  }
}, 120_000);
