import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEventCatalogue, defineEventType } from "@synap/types";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { verifyPurges } from "../chain/verify-purges.ts";
import type { Database } from "../connection/sql-session.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";
import { type ErasureLedger, ledgerFile, ledgerHash } from "../personal-data/erasure-ledger.ts";
import { keyFile, makeKeyFile } from "../personal-data/key-file.ts";
import { createPersonalData } from "../personal-data/personal-data.ts";
import { createSubjectKeys } from "../personal-data/subject-keys.ts";
import { applyLedger, continueErasures, eraseSubject } from "./erase-subject.ts";
import { rewrapKeys } from "./rewrap-keys.ts";
import { holdSubject, releaseSubject, subjectStatus } from "./subject-holds.ts";

const catalogue = createEventCatalogue([
  defineEventType({
    name: "customer.joined",
    description: "A customer joined.",
    schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }) }),
    example: { email: "ada@example.org" },
  }),
]);

describeOnEveryEngine("erasing the personal data of a subject", (engine) => {
  let directory: string;
  let ledger: ErasureLedger;
  let subject: string;
  let number = 0;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "synap-erasure-"));
    await makeKeyFile(join(directory, "keys"));
    await syncEventTypes(engine.database, catalogue);
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** A process that has just started: it keeps no keys. */
  const started = () => {
    const { database } = engine;
    const keys = createSubjectKeys({ database, provider: keyFile(join(directory, "keys")), ledger });
    const personalData = createPersonalData(catalogue, keys);
    return { personalData, store: createEventStore({ database, catalogue, personalData }) };
  };
  const read = async (id: string) => {
    const { personalData, store } = started();
    const stored = await store.getById(id);
    if (stored === undefined) throw new Error("it is not stored");
    const [event] = await personalData.open([stored]);
    return { email: event?.data["email"], masked: event?.masked?.map(({ reason }) => reason) };
  };
  let id: string;
  beforeEach(async () => {
    number += 1;
    subject = `customer-${number}`;
    ledger = ledgerFile(join(directory, "keys.erased"));
    const event = catalogue.createSynapEvent({
      type: "customer.joined",
      userId: subject,
      data: { email: "canary" },
    });
    id = event.id;
    await started().store.append(event);
  });
  const request = () => ({ subject, reason: "Request 118", by: "user:officer" });
  const options = () => ({ ledger, keptMs: 0 });
  const ERASED = { email: "[hidden]", masked: ["erased"] };

  /** The database of a process that is killed before its transaction of this number. */
  const killedBefore = (transaction: number): Database => {
    let count = 0;
    return {
      ...engine.database,
      asOwner: async (work) => {
        count += 1;
        if (count >= transaction) throw new Error("killed");
        return engine.database.asOwner(work);
      },
    };
  };

  it("destroys its key, is recorded in the log, and is done once", async () => {
    const { database } = engine;
    const erasure = await eraseSubject(database, request(), options());
    expect(await read(id)).toEqual(ERASED);
    const [event] = await database.query(
      `SELECT type, created_by, data FROM synap.events WHERE "position" = $1`,
      [erasure.position],
    );
    expect(event).toEqual({
      type: "subject.erased",
      created_by: "user:officer",
      data: { erasure: erasure.id, subject, reason: "Request 118" },
    });
    expect((await ledger.read()).has(ledgerHash(subject))).toBe(true);
    expect(await readFile(ledger.name, "utf8")).not.toContain(subject);
    const purges = "SELECT to_jsonb(event_types) AS event_types FROM synap.purges WHERE erased_subject = $1";
    expect(await database.query(purges, [subject])).toEqual([{ event_types: ["customer.joined"] }]);
    await expect(eraseSubject(database, request(), options())).rejects.toThrow("is erased already");
    const faults: unknown[] = [];
    await database.asOwner((owner) => verifyPurges(owner, (fault) => faults.push(fault)));
    expect(faults).toEqual([]);
  });

  it("refuses a subject that is on hold, with the reason, until it is released", async () => {
    const { database } = engine;
    await holdSubject(database, { subject, reason: "case 7", by: "user:lawyer" }, ledger);
    await expect(eraseSubject(database, request(), options())).rejects.toThrow(
      `The data of "${subject}" is on hold by user:lawyer: case 7. It was not erased.`,
    );
    expect(await read(id)).toEqual({ email: "canary", masked: undefined });
    expect(await database.asOwner((owner) => subjectStatus(owner, subject))).toMatchObject({
      key: "kept",
      hold: { reason: "case 7" },
    });
    await releaseSubject(database, subject);
    await expect(releaseSubject(database, subject)).rejects.toMatchObject({ code: "NOTHING_TO_ERASE" });
    await eraseSubject(database, request(), options());
    expect(await read(id)).toEqual(ERASED);
    await expect(holdSubject(database, request(), ledger)).rejects.toThrow("is erased already");
  });

  it("refuses a subject that has no data", async () => {
    const nobody = eraseSubject(engine.database, { ...request(), subject: "nobody" }, options());
    await expect(nobody).rejects.toMatchObject({ code: "NOTHING_TO_ERASE" });
  });

  it.each([
    ["before", "canary", undefined],
    ["after", "[hidden]", ["erased"]],
  ])("is finished after an interruption %s the ledger is written", async (when, email, masked) => {
    const { database } = engine;
    const add = async (name: string) => {
      if (when === "after") await ledger.add(name);
      throw new Error("killed");
    };
    const interrupted = eraseSubject(database, request(), { ledger: { ...ledger, add }, keptMs: 0 });
    await expect(interrupted).rejects.toThrow("killed");
    // The ledger is written before the key is destroyed, so it is erased for every process that reads it.
    expect(await read(id)).toEqual({ email, masked });
    // The same command again does the rest, too.
    await eraseSubject(database, request(), options());
    expect(await read(id)).toEqual(ERASED);
  });

  it("is held back by a hold that comes before the ledger is written, and refuses one that comes later", async () => {
    const { database } = engine;
    const hold = () => holdSubject(database, { subject, reason: "case 7", by: "user:lawyer" }, ledger);
    const interrupted = (add: ErasureLedger["add"]) =>
      eraseSubject(database, request(), { ledger: { ...ledger, add }, keptMs: 0 });
    await expect(interrupted(() => Promise.reject(new Error("killed")))).rejects.toThrow("killed");
    await hold();
    const other = `${subject}-other`;
    const event = { type: "customer.joined", userId: other, data: { email: "canary" } } as const;
    await started().store.append(catalogue.createSynapEvent(event));
    await expect(eraseSubject(killedBefore(2), { ...request(), subject: other }, options())).rejects.toThrow(
      "killed",
    );
    await expect(continueErasures(database, options())).rejects.toMatchObject({
      code: "SUBJECT_HELD",
      subject,
    });
    expect(await database.asOwner((owner) => subjectStatus(owner, other))).toMatchObject({
      key: "destroyed",
    });
    expect((await ledger.read()).has(ledgerHash(subject))).toBe(false);
    expect(await read(id)).toEqual({ email: "canary", masked: undefined });
    await releaseSubject(database, subject);
    const written = interrupted(async (name) => {
      await ledger.add(name);
      throw new Error("killed");
    });
    await expect(written).rejects.toThrow("killed");
    await expect(hold()).rejects.toThrow("is erased already");
    expect(await continueErasures(database, options())).toMatchObject([{ subject }]);
    expect(await database.asOwner((owner) => subjectStatus(owner, subject))).not.toHaveProperty("hold");
  });

  it("is finished after an interruption between the destruction of its key and the event", async () => {
    const { database } = engine;
    await expect(eraseSubject(killedBefore(3), request(), options())).rejects.toThrow("killed");
    expect(await read(id)).toEqual(ERASED);
    expect(await continueErasures(database, options())).toMatchObject([{ subject }]);
    expect(await continueErasures(database, options())).toEqual([]);
    expect(await database.asOwner((owner) => subjectStatus(owner, subject))).toMatchObject({
      key: "destroyed",
      erasure: { finished: true },
    });
  });

  it("stays done when the database is restored from a backup of before", async () => {
    const { database } = engine;
    const keys = "SELECT wrapped_key FROM synap.subject_keys WHERE subject = $1";
    const [backup] = await database.query<{ wrapped_key: string }>(keys, [subject]);
    await eraseSubject(database, request(), options());
    await database.asOwner(async (owner) => {
      await owner.query(
        "UPDATE synap.subject_keys SET wrapped_key = $2, destroyed_at = NULL WHERE subject = $1",
        [subject, backup?.wrapped_key ?? null],
      );
      await owner.query("DELETE FROM synap.erasures WHERE subject = $1", [subject]);
    });
    expect(await read(id)).toEqual(ERASED);
    expect(await applyLedger(database, ledger)).toBeGreaterThanOrEqual(1);
    expect(await database.query(keys, [subject])).toEqual([{ wrapped_key: null }]);
    expect(await applyLedger(database, ledger)).toBe(0);
  });

  it("keeps events readable when every key is wrapped anew", async () => {
    const { database } = engine;
    await appendFile(join(directory, "keys"), `key-${number + 1} ${randomBytes(32).toString("base64url")}\n`);
    const wrapped = () =>
      database.query<{ wrapped_key: string }>(
        "SELECT wrapped_key FROM synap.subject_keys WHERE wrapped_key IS NOT NULL ORDER BY subject",
      );
    const before = await wrapped();
    expect(await rewrapKeys(database, keyFile(join(directory, "keys")))).toBe(before.length);
    for (const { wrapped_key } of await wrapped())
      expect(wrapped_key).toMatch(new RegExp(`^key-${number + 1}:`));
    expect(await read(id)).toEqual({ email: "canary", masked: undefined });
  });
});
