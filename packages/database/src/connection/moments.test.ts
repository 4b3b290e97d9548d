import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { epochMs, isoFromEpoch, isoFromJson, readMoment } from "./moments.ts";

const ZONES = ["UTC", "Asia/Kolkata", "Pacific/Kiritimati", "America/St_Johns", "Africa/Monrovia"];
const moment = fc.date({
  min: new Date("0001-01-01T00:00:00.000Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

describeOnEveryEngine("a moment", (engine) => {
  it("is parsed correctly in every time zone and, as a number or in JSON, in every DateStyle", async () => {
    await engine.database.transaction(async (transaction) => {
      const settings = fc.tuple(fc.constantFrom(...ZONES), fc.constantFrom("ISO", "German", "SQL, DMY"));
      await fc.assert(
        fc.asyncProperty(moment, settings, async (written, [zone, style]) => {
          await transaction.query(
            "SELECT set_config('TimeZone', $1, true), set_config('DateStyle', $2, true)",
            [zone, style],
          );
          const [row] = await transaction.query<{ number: number; json: string; text: string }>(
            `SELECT ${epochMs("m")} AS number, to_json(m) #>> '{}' AS json, m::text AS text
               FROM (SELECT $1::timestamptz(3) AS m) AS given`,
            [written],
          );
          const iso = written.toISOString();
          expect(isoFromEpoch(row?.number ?? 0)).toBe(iso);
          expect(isoFromJson(row?.json ?? "")).toBe(iso);
          if (style === "ISO") expect(readMoment(row?.text ?? "").toISOString()).toBe(iso);
          else
            expect(() => readMoment(row?.text ?? "")).toThrow(
              expect.objectContaining({ code: "UNREADABLE_VALUE" }),
            );
        }),
        { numRuns: 200 },
      );
    });
  });

  it("that is not a point in time is refused", () => {
    for (const text of [
      "infinity",
      "-infinity",
      "01.02.2026 00:00:00 CET",
      "2026-01-02",
      "2026-01-02 03:04:05",
    ]) {
      expect(() => readMoment(text), text).toThrow(expect.objectContaining({ code: "UNREADABLE_VALUE" }));
    }
    expect(readMoment("0044-03-15 12:00:00+00 BC").toISOString()).toBe("-000043-03-15T12:00:00.000Z");
  });
});
