/** Sleep that can be interrupted. A wake-up before the sleep begins ends it at once. */
export interface WakeUp {
  wake(): void;
  /** Resolves on a wake-up or after the timeout. */
  sleep(milliseconds: number): Promise<"woken" | "timeout">;
}

export function createWakeUp(): WakeUp {
  let pending = false;
  let interrupt: (() => void) | undefined;
  return {
    wake: () => {
      pending = true;
      interrupt?.();
    },
    sleep: async (milliseconds) => {
      if (!pending) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          interrupt = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        interrupt = undefined;
      }
      const woken = pending;
      pending = false;
      return woken ? "woken" : "timeout";
    },
  };
}
