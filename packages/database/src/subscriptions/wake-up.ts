/** Sleeps until woken: a wake-up that comes while nobody sleeps ends the next sleep at once. */
export interface WakeUp {
  wake(): void;
  /** Resolves on a wake-up, or after so many milliseconds. */
  sleep(milliseconds: number): Promise<"woken" | "timeout">;
}

export function createWakeUp(): WakeUp {
  let pending = false;
  let rouse: (() => void) | undefined;
  return {
    wake: () => {
      pending = true;
      rouse?.();
    },
    sleep: async (milliseconds) => {
      if (!pending) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          rouse = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        rouse = undefined;
      }
      const woken = pending;
      pending = false;
      return woken ? "woken" : "timeout";
    },
  };
}
