import { describe, expect, it } from "vitest";
import { Ledger, type SentEvent } from "./ledger.ts";
import { sendUnknownAgain } from "./settle.ts";

const event: SentEvent = {
  id: "e-1",
  type: "task.created",
  timestamp: "2026-11-26T08:00:00.000Z",
  aggregateType: "task",
  aggregateId: "t-1",
  data: { title: "x" },
};

function outcomeAfter(answer: (ledger: Ledger) => void): string | undefined {
  const ledger = new Ledger();
  ledger.sending(event, async () => undefined);
  answer(ledger);
  return [...ledger.entries()][0]?.outcome;
}

describe("Ledger", () => {
  it("leaves an event without a response unknown", () => {
    expect(outcomeAfter((ledger) => ledger.unanswered("e-1"))).toBe("unknown");
  });

  it("takes a 2xx as final, whatever was answered before or after", () => {
    expect(
      outcomeAfter((ledger) => {
        ledger.unanswered("e-1");
        ledger.accepted("e-1");
        ledger.refused("e-1");
      }),
    ).toBe("accepted");
  });

  it("takes a refusal as final only when no earlier attempt may have stored the event", () => {
    expect(outcomeAfter((ledger) => ledger.refused("e-1"))).toBe("refused");
    expect(
      outcomeAfter((ledger) => {
        ledger.unanswered("e-1");
        ledger.refused("e-1");
      }),
    ).toBe("unknown");
  });

  it("asks for another attempt until there is a response, and not after a refusal, which would be repeated", async () => {
    const ledger = new Ledger();
    const answers: ((id: string) => void)[] = [
      (id) => ledger.unanswered(id),
      (id) => ledger.unanswered(id),
      (id) => ledger.refused(id),
    ];
    let sent = 0;
    ledger.sending(event, async () => answers[sent++]?.(event.id));
    ledger.unanswered(event.id);
    await sendUnknownAgain(ledger);
    expect(sent).toBe(3);
    expect([...ledger.entries()]).toMatchObject([{ outcome: "unknown", isUnanswered: false }]);
  });
});
