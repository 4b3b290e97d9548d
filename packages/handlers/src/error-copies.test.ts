import { describe, expect, it, vi } from "vitest";
import { CommandRefusedError } from "./aggregates/aggregate-errors.ts";
import { TransientHandlerError } from "./handler/handler-errors.ts";

describe("the errors that an application throws", () => {
  it("are recognised when they come from another copy of the package", async () => {
    vi.resetModules();
    const aggregates = await import("./aggregates/aggregate-errors.ts");
    const dispatch = await import("./handler/handler-errors.ts");
    expect(aggregates.CommandRefusedError).not.toBe(CommandRefusedError);
    expect(new aggregates.CommandRefusedError("rule", "reason") instanceof CommandRefusedError).toBe(true);
    expect(new dispatch.TransientHandlerError("away") instanceof TransientHandlerError).toBe(true);
  });

  it("are distinguished from other errors, and from their subclasses", () => {
    class OutsideAway extends TransientHandlerError {}
    expect(new OutsideAway("away") instanceof TransientHandlerError).toBe(true);
    expect(new TransientHandlerError("away") instanceof OutsideAway).toBe(false);
    expect(new OutsideAway("away") instanceof OutsideAway).toBe(true);
    expect(new Error("away") instanceof TransientHandlerError).toBe(false);
    expect(new CommandRefusedError("rule", "reason") instanceof TransientHandlerError).toBe(false);
  });
});
