import { describeOnEveryEngine } from "@synap/database/testing";
import { auditLog, complianceStats } from "@synap/handlers";
import { handlerScenario } from "@synap/handlers/testing";
import { type SeedEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { countOpenLoops, whatsNext } from "../src/open-loops/open-loops.ts";
import { reservationsBetween, reservationsOfGuest } from "../src/reservations/reservations-projection.ts";
import { openTasks } from "../src/tasks/tasks-view.ts";
import { seededComposition } from "./seeded-composition.ts";

type DataOf<Name extends SeedEvent["type"]> = Extract<SeedEvent, { readonly type: Name }>["data"];

const AT = "2026-03-02T09:00:00.000Z";
const NOW = new Date("2026-03-05T00:00:00.000Z");

describeOnEveryEngine("the built-in read models", (engine) => {
  const scenario = () =>
    handlerScenario({
      database: engine.database,
      catalogue: seedCatalogue,
      projections: seededComposition.projections,
    });
  const loop = (
    id: string,
    ownerId: string,
    data: Omit<DataOf<"open_loop.opened">, "ownerId" | "title">,
  ) => ({
    type: "open_loop.opened" as const,
    aggregateId: id,
    timestamp: AT,
    data: { ownerId, title: id, ...data },
  });
  const titles = async (owner: string) =>
    (await whatsNext(engine.database, owner, { now: NOW })).map((each) => each.title);
  beforeAll(() => scenario().dispatcher.projections.prepare());

  it("answer what's next: by score, without what was put off or is finished", async () => {
    const { given, when } = scenario();
    await given(
      loop("send invoice", "o1", { status: "urgent", score: 80 }),
      loop("call Acme", "o1", { status: "waiting", score: 300, entityType: "customer", entityId: "acme" }),
      loop("put off", "o1", { status: "waiting", score: 900 }),
      loop("its time has come", "o1", { status: "waiting", score: 10 }),
      loop("given up", "o1", { status: "urgent", score: 1000 }),
      loop("somebody else's", "o2", { status: "urgent", score: 1000 }),
    );
    await when(
      {
        type: "open_loop.status_changed",
        aggregateId: "put off",
        data: { from: "waiting", to: "snoozed", snoozedUntil: "2026-03-06T00:00:00Z" },
      },
      {
        type: "open_loop.status_changed",
        aggregateId: "its time has come",
        data: { from: "waiting", to: "snoozed", snoozedUntil: "2026-03-04T00:00:00Z" },
      },
      { type: "open_loop.score_changed", aggregateId: "send invoice", data: { score: 950 } },
      { type: "open_loop.closed", aggregateId: "given up", data: { outcome: "dropped" } },
    );
    expect(await titles("o1")).toEqual(["send invoice", "call Acme", "its time has come"]);
    expect(await whatsNext(engine.database, "o1", { statuses: ["waiting"] })).toEqual([
      {
        id: "open_loop/call Acme",
        ownerId: "o1",
        title: "call Acme",
        status: "waiting",
        score: 300,
        entityType: "customer",
        entityId: "acme",
        openedAt: AT,
      },
    ]);
    expect(await countOpenLoops(engine.database, "o1")).toEqual({ urgent: 1, waiting: 1, snoozed: 2 });
    await expect(whatsNext(engine.database, "o1", { now: new Date(Number.NaN) })).rejects.toMatchObject({
      code: "MOMENT_INVALID",
    });
  });

  it("count a task as an open loop of whoever has it, until it is done", async () => {
    const { given, when } = scenario();
    const task = (id: string, data: Partial<DataOf<"task.created">>) => ({
      type: "task.created" as const,
      aggregateId: id,
      timestamp: AT,
      data: { title: id, assigneeId: "o3", ...data },
    });
    await given(
      task("low", { priority: "low" }),
      task("high", { priority: "high", dueDate: "2026-03-09" }),
      task("done", {}),
      task("handed on", { dueDate: "2026-03-07" }),
    );
    await when(
      { type: "task.completed", aggregateId: "done", data: { outcome: "Acme agreed" } },
      { type: "task.assigned", aggregateId: "handed on", data: { assigneeId: "o4" } },
      { type: "task.completed", aggregateId: "never made", data: {} },
    );
    expect(await titles("o3")).toEqual(["high", "low"]);
    expect(await titles("o4")).toEqual(["handed on"]);
    expect(await openTasks(engine.database, { assigneeId: "o3" })).toMatchObject([
      { id: "high", dueDate: "2026-03-09", priority: "high" },
      { id: "low", dueDate: null },
    ]);
    expect((await openTasks(engine.database)).map((each) => each.id)).toEqual(["handed on", "high", "low"]);
    expect(
      await scenario().rows("SELECT status, outcome FROM synap_read.tasks_view WHERE id = 'done'"),
    ).toEqual([{ status: "done", outcome: "Acme agreed" }]);
  });

  it("show rescheduled and cancelled reservations", async () => {
    const { given, when } = scenario();
    const reserve = (id: string, data: Partial<DataOf<"reservation.created">>) => ({
      type: "reservation.created" as const,
      aggregateId: id,
      data: { guestId: "g1", startDate: "2026-06-01", resource: "room-12", ...data },
    });
    await given(
      reserve("r1", { endDate: "2026-06-04", partySize: 2 }),
      reserve("r2", {}),
      reserve("r3", { resource: "room-9" }),
    );
    await when(
      {
        type: "reservation.rescheduled",
        aggregateId: "r1",
        data: { oldStartDate: "2026-06-01", newStartDate: "2026-06-08", newEndDate: "2026-06-11" },
      },
      { type: "reservation.cancelled", aggregateId: "r2", data: { reason: "ill" } },
    );
    expect(await reservationsOfGuest(engine.database, "g1")).toMatchObject([
      { id: "r1", startDate: "2026-06-08", endDate: "2026-06-11", partySize: 2, status: "CONFIRMED" },
      { id: "r2", status: "CANCELLED" },
      { id: "r3" },
    ]);
    const june = { from: "2026-06-01", to: "2026-06-30" };
    const between = async (resource?: string) =>
      (
        await reservationsBetween(engine.database, { ...june, ...(resource !== undefined && { resource }) })
      ).map((r) => r.id);
    expect(await between()).toEqual(["r3", "r1"]);
    expect(await between("room-12")).toEqual(["r1"]);
  });

  it("count what people, agents and the system did, day by day", async () => {
    const event = (
      createdBy: string,
      more: { userId?: string; correlationId?: string; timestamp?: string } = {},
    ) => ({
      type: "product.price_changed" as const,
      aggregateId: "p1",
      timestamp: "2025-01-31T23:59:59.999Z",
      createdBy,
      data: { oldPrice: 1, newPrice: 2 },
      ...more,
    });
    await scenario().given(
      event("user:u1", { userId: "u1" }),
      event("agent:pricing", { correlationId: "c" }),
    );
    await scenario().when(event("agent:pricing"), event("system", { timestamp: "2025-02-01T00:00:00.000Z" }));
    const january = await complianceStats(engine.database, { from: "2025-01-01", to: "2025-01-31" });
    expect(january).toEqual([
      { eventType: "product.price_changed", actorKind: "agent", events: 2, withUser: 0, withCorrelation: 1 },
      { eventType: "product.price_changed", actorKind: "user", events: 1, withUser: 1, withCorrelation: 0 },
    ]);
  });

  it("show who did what to which aggregate, and when", async () => {
    const [done] = await scenario().when({
      type: "dealer.approved",
      aggregateId: "d1",
      timestamp: AT,
      createdBy: "user:boss",
      correlationId: "flow",
      data: { tier: "silver" },
    });
    const expected = {
      position: done?.position,
      happenedAt: new Date(AT),
      recordedAt: new Date(done?.recordedAt ?? 0),
      eventId: done?.id,
      actor: "user:boss",
      userId: null,
      action: "dealer.approved",
      subjectType: "dealer",
      subjectId: "d1",
      source: "api",
      correlationId: "flow",
    };
    expect(await auditLog(engine.database, { actor: "user:boss" })).toEqual([expected]);
    expect(await auditLog(engine.database, { subject: { type: "dealer", id: "d1" } })).toEqual([expected]);
    expect(await auditLog(engine.database, { limit: 1 })).toEqual([expected]);
    expect(await auditLog(engine.database, { actor: "user:boss", before: done?.position ?? 0 })).toEqual([]);
  });

  it("come to the same rows when they are built again, and go on after the cutover", async () => {
    const { dispatcher } = scenario();
    for (const { name } of seededComposition.projections) {
      await dispatcher.projections.rebuild(name, { by: "test" });
    }
    await scenario().given(loop("later", "o9", { status: "urgent" }));
    for (const { name } of seededComposition.projections) {
      const report = await dispatcher.projections.cutover(name, { by: "test" });
      expect(report.differences.map((each) => each.different + each.onlyInNew + each.onlyInOld)).toEqual([0]);
    }
    expect(await titles("o9")).toEqual(["later"]);
  });
});
