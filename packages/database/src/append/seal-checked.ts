import { type EventIssue, EventValidationError, type SynapEvent } from "@synap/types";
import type { Transaction } from "../connection/sql-session.ts";
import type { PersonalData } from "../personal-data/personal-data.ts";

/** A valid event, or its issues. */
export type CheckedEvent =
  | { readonly ok: true; readonly event: SynapEvent }
  | { readonly ok: false; readonly id: string; readonly issues: readonly EventIssue[] };

/** Seals the personal values of the valid events. Where there are none, nothing is awaited. */
export function sealChecked(
  checked: readonly CheckedEvent[],
  { personalData }: { readonly personalData: Pick<PersonalData, "needsSealing" | "seal"> },
  transaction: Transaction | undefined,
): readonly CheckedEvent[] | Promise<readonly CheckedEvent[]> {
  if (!checked.some((each) => each.ok && personalData.needsSealing(each.event))) return checked;
  const seal = async (): Promise<readonly CheckedEvent[]> => {
    const valid = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const sealed = (await personalData.seal(valid, { transaction })).values();
    return checked.map((each) => {
      if (!each.ok) return each;
      const { value: sealing } = sealed.next();
      if (sealing === undefined) throw new Error(`Event ${each.event.id} was not sealed.`);
      return sealing.ok ? sealing : { ok: false, id: each.event.id, issues: sealing.issues };
    });
  };
  return seal();
}

/**
 * Seals the personal values of all of these events. Where there are none, nothing is awaited.
 *
 * @param pathsOf the path of each event in its append, for issues
 * @throws EventValidationError
 */
export function sealPrepared(
  events: readonly SynapEvent[],
  pathsOf: () => readonly string[],
  rules: { readonly personalData: Pick<PersonalData, "needsSealing" | "seal"> },
  transaction: Transaction | undefined,
): readonly SynapEvent[] | Promise<readonly SynapEvent[]> {
  const valid = events.map((event): CheckedEvent => ({ ok: true, event }));
  const sealing = sealChecked(valid, rules, transaction);
  if (!(sealing instanceof Promise)) return events;
  return sealing.then((sealed) => {
    const paths = pathsOf();
    const issues = sealed.flatMap((each, index) =>
      each.ok ? [] : each.issues.map((issue) => ({ ...issue, path: `${paths[index] ?? ""}.${issue.path}` })),
    );
    if (issues.length > 0) throw new EventValidationError(issues.slice(0, 100));
    return sealed.flatMap((each) => (each.ok ? [each.event] : []));
  });
}
