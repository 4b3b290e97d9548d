import { describe, expect, it } from "vitest";
import { derivedEventId } from "./derived-event-id.ts";

const cause = "01993f5e-2c6c-7b5c-9d4e-0f4f5d6a7b8c";

describe("derivedEventId", () => {
  it("is the UUIDv5 that any other implementation computes", () => {
    // RFC 9562, appendix A.4: "www.example.com" in the DNS namespace.
    expect(
      derivedEventId({ handler: "www.example.com", cause: "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }),
    ).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });

  it("is the same for the same handler and cause", () => {
    expect(derivedEventId({ handler: "reactor", cause: cause })).toBe(
      derivedEventId({ handler: "reactor", cause: cause }),
    );
  });

  it("differs between handlers, causes and parts", () => {
    const ids = [
      derivedEventId({ handler: "reactor", cause: cause }),
      derivedEventId({ handler: "other", cause: cause }),
      derivedEventId({ handler: "reactor", cause: cause.replace("8c", "8d") }),
      derivedEventId({ handler: "reactor", cause: cause, part: "second" }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
