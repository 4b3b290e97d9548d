import { describe, expect, it } from "vitest";
import { createSynapClient, OPERATIONS, type SynapClient } from "../src/index.ts";

const stream = { aggregateType: "note", aggregateId: "n" };
const event = { type: "note.created", data: {} };

/** Every operation, and the call of the client that performs it. */
const CALLS: Record<keyof typeof OPERATIONS, (synap: SynapClient<object>) => unknown> = {
  publishEvent: (synap) => synap.publish(event as never),
  publishBatch: (synap) => synap.publishBatch([event as never]),
  getEvent: (synap) => synap.getEvent("e"),
  listEvents: (synap) => synap.query({ userId: "u" }).next(),
  appendToStream: (synap) => synap.append(stream, [event as never]),
  readStream: (synap) => synap.readStream(stream).next(),
  closeStream: (synap) => synap.closeStream(stream, { expectedVersion: 3 }),
  getAggregate: (synap) => synap.aggregates({ type: "lamp", path: "lamps" }).load("l"),
  executeCommand: (synap) =>
    synap.aggregates({ type: "lamp", path: "lamps" }).execute("l", { type: "switch", data: {} } as never),
  readModel: (synap) => synap.readModel("open-orders"),
  openLoops: (synap) => synap.readModels.whatsNext({ owner: "o" }),
  tasks: (synap) => synap.readModels.openTasks(),
  reservations: (synap) => synap.readModels.reservations({ guest: "g" }),
  notes: (synap) => synap.readModels.notes({ userId: "u" }).next(),
  auditLog: (synap) => synap.readModels.auditLog({ actor: "a" }).next(),
  compliance: (synap) => synap.readModels.compliance(),
  status: (synap) => synap.status(),
  metrics: (synap) => synap.metrics(),
  health: (synap) => synap.health(),
  readiness: (synap) => synap.readiness(),
  openapi: (synap) => synap.openapi(),
  adminStatus: (synap) => synap.admin.status(),
  tailEvents: (synap) => synap.subscribe({ from: "start" }).next(),
  listDeadLetters: (synap) => synap.admin.deadLetters().next(),
  getDeadLetter: (synap) => synap.admin.deadLetter(1),
  retryDeadLetters: (synap) => synap.admin.retryDeadLetters({ handler: "h" }),
  retryDeadLetter: (synap) => synap.admin.retryDeadLetter(1),
  skipDeadLetter: (synap) => synap.admin.skipDeadLetter(1, "because"),
  listProjections: (synap) => synap.admin.projections(),
  getProjection: (synap) => synap.admin.projection("p"),
  pauseProjection: (synap) => synap.admin.pauseProjection("p"),
  resumeProjection: (synap) => synap.admin.resumeProjection("p"),
  rollbackProjection: (synap) => synap.admin.rollbackProjection("p"),
  rebuildProjection: (synap) => synap.admin.rebuildProjection("p", { version: 2 }),
  compareProjection: (synap) => synap.admin.compareProjection("p"),
  cutOverProjection: (synap) => synap.admin.cutOverProjection("p", { compare: false }),
  dropProjectionBuild: (synap) => synap.admin.dropProjectionBuild("p", "previous"),
};

describe("a method of the client", () => {
  it.each(Object.entries(CALLS))("performs %s", async (name, call) => {
    const sent: { method: string; path: string }[] = [];
    const synap = createSynapClient<object>({
      url: "http://synap.example",
      retry: { attempts: 1 },
      fetch: (url, init) => {
        sent.push({ method: init?.method ?? "GET", path: new URL(String(url)).pathname });
        const refusal = { code: "internal-error", title: "", detail: "", status: 400 };
        return Promise.resolve(new Response(JSON.stringify(refusal), { status: 400 }));
      },
    });
    await Promise.resolve(call(synap)).catch(() => undefined);
    const operation = Object.entries(OPERATIONS).find(([id]) => id === name)?.[1];
    const pattern = new RegExp(`^${operation?.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    expect(sent).toEqual([{ method: operation?.method, path: expect.stringMatching(pattern) }]);
  });
});
