import { z } from "zod";

/** A message from a process to the `synap dev` that started it. */
const importReport = z.object({ imported: z.string() });

/** Returns the file that a message of the started process reports. */
export function importedFile(message: unknown): string | undefined {
  return importReport.safeParse(message).data?.imported;
}

/** Reports a file to the `synap dev` that started this process; undefined without one. */
export function reportImport(): ((file: string) => void) | undefined {
  if (!process.connected) return undefined;
  return (imported) => {
    process.send?.({ imported } satisfies z.infer<typeof importReport>);
  };
}

/** Stops this process gracefully when the `synap dev` that started it has ended, even by a kill. */
export function stopWithDev(): void {
  if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
