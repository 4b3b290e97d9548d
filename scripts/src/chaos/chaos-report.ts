import { count } from "@synap/types/internal";
import type { ChaosResult } from "./run-chaos.ts";

const LAWS: readonly (readonly [keyof ChaosResult["findings"], string])[] = [
  ["acceptedAndLost", "accepted, but not stored"],
  ["storedDifferently", "stored with another content"],
  ["storedTwice", "stored twice"],
  ["refusedAndStored", "refused, but stored"],
  ["keysStoredTwice", "idempotency keys stored twice"],
  ["answeredWrongly", "answered with another position or version"],
  ["neverSent", "stored, but never sent"],
  ["brokenStreams", "streams with gaps in their versions"],
  ["positionsTakenTwice", "positions taken twice"],
  ["disorderedStreams", "streams out of the global order"],
  ["notesNotCompletedOnce", "notes not completed exactly once"],
  ["notesNotProjected", "notes missing in their read model"],
  ["readModelDifferences", "rows in which read models differ"],
  ["openDeadLetters", "dead letters left open"],
  ["processesEnded", "processes that ended by themselves"],
];

/** Number of findings. A run in which nothing was accepted or broken proves nothing and counts as one. */
export function countChaosFaults({ findings, accepted, faults }: ChaosResult): number {
  const provedNothing = accepted === 0 || Object.keys(faults).length === 0;
  return LAWS.reduce((sum, [key]) => sum + findings[key], provedNothing ? 1 : 0);
}

/** Formats the result as JSON. */
export function chaosAsJson(result: ChaosResult): object {
  return { ...result, violations: countChaosFaults(result) };
}

/** Formats the result for people. */
export function chaosAsText(result: ChaosResult): string {
  const violations = countChaosFaults(result);
  const broken = Object.values(result.faults).reduce((sum, times) => sum + times, 0);
  return [
    `chaos: ${count(result.seconds)} s, ${result.clients} clients, seed ${result.seed}`,
    "",
    line("events sent", result.sent),
    line("accepted", result.accepted),
    line("refused", result.refused),
    line("without a definite response", result.unknown),
    line("stored, reactions included", result.stored),
    line("stored by retrying dead letters", result.recoveredDeadLetters),
    line("envelopes still in the broker's queue", result.envelopesInBroker),
    "",
    line("faults", broken),
    ...Object.entries(result.faults).map(([name, times]) => line(`  ${name}`, times)),
    "",
    "promises broken",
    ...LAWS.map(([key, name]) => line(`  ${name}`, result.findings[key])),
    ...result.endings.flatMap((ending) => ["", ending]),
    "",
    conclusion(result, violations, broken),
  ].join("\n");
}

function line(name: string, value: number): string {
  return `${name.padEnd(44)}${count(value).padStart(9)}`;
}

function conclusion({ accepted }: ChaosResult, violations: number, broken: number): string {
  if (accepted === 0) return "FAILED: nothing was accepted, so nothing was proved.";
  if (broken === 0) return "FAILED: nothing was broken, so nothing was proved.";
  if (violations > 0) return `FAILED: ${count(violations)} promises broken.`;
  return "Nothing lost, nothing stored twice, nothing changed.";
}
