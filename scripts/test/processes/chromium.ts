import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine: `SYNAP_CHROMIUM`, or the first on the path; undefined if there is none. */
export function findChromium(): string | undefined {
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [process.env["SYNAP_CHROMIUM"] ?? "", ...onPath].find((file) => file !== "" && existsSync(file));
}

/**
 * The reason to skip the tests in a browser; undefined if there is one.
 *
 * @throws in CI, which installs one: there a missing browser is a fault
 */
export function reasonToSkip(): string | undefined {
  if (findChromium() !== undefined) return undefined;
  const reason = "no Chromium on this machine: apt-get install chromium, or SYNAP_CHROMIUM=/path/to/it";
  if (process.env["CI"]) throw new Error(reason);
  console.warn(`SKIPPED: ${reason}`);
  return reason;
}

/** Starts the Chromium of this machine, without a window. */
export function startChromium(): Promise<Browser> {
  // Root, as in a container, has no sandbox of its own; the pages come from this machine.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findChromium() ?? "", args, timeout: 180_000 });
}
