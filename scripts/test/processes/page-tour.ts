import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";

const run = promisify(execFile);
const root = new URL("../../../", import.meta.url);

/** One block of commands for the readers of a page to paste. */
export interface TourStop {
  readonly commands: string;
  /** The JSON block right behind it: what the page says comes out. */
  readonly shows: unknown;
}

/** Commands on a page: the blocks marked ```bash tour, and the unmarked bash blocks. */
export interface PageTour {
  readonly stops: readonly TourStop[];
  readonly unmarked: readonly string[];
}

/** Reads the blocks of a page, named from the repository's root. */
export async function readPageTour(page: string): Promise<PageTour> {
  const text = await readFile(new URL(page, root), "utf8");
  const blocks = [...text.matchAll(/```bash( tour)?\n([\s\S]*?)```\n(?:\n```json\n([\s\S]*?)```)?/g)];
  const marked = blocks.filter(([, mark]) => mark !== undefined);
  return {
    stops: marked.map(([, , commands = "", json]) => ({
      commands,
      shows: json === undefined ? undefined : JSON.parse(json),
    })),
    unmarked: blocks.filter(([, mark]) => mark === undefined).map(([, , commands = ""]) => commands),
  };
}

/** A Synap that runs, and a folder in which a reader pastes what the pages say. */
export class Reader {
  readonly #synap: RunningSynap;
  readonly #folder: string;
  #variables = "";

  static async start(): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), "synap-tour-"));
    const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
    const synap = await runSynap({ dataDirectory: join(folder, ".synap"), ...ports, logLevel: "silent" });
    return new Reader(synap, folder);
  }

  private constructor(synap: RunningSynap, folder: string) {
    this.#synap = synap;
    this.#folder = folder;
  }

  /**
   * Runs commands as a reader would who started Synap on its default port, and resolves with what they print.
   * Variables that a block sets are there in later ones, as in one terminal.
   */
  async paste(commands: string | undefined): Promise<string> {
    const pasted = (commands ?? "exit 1").replaceAll("http://127.0.0.1:3400", this.#synap.apiUrl);
    const script = `${commandsOfPages(this.#synap.apiUrl)}\n${this.#variables}\n${pasted}`;
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script], {
      cwd: this.#folder,
      env: { ...process.env, SYNAP_TOKEN: this.#synap.token },
    });
    this.#variables += (pasted.match(/^[A-Z]+=\S+$/gm) ?? []).map((line) => `${line}\n`).join("");
    return stdout;
  }

  async stop(): Promise<void> {
    await this.#synap.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * `npx -y pnpm@12 load` and `npx -y pnpm@12 synap` without a download, and on this test's port: package.json says what
 * they stand for.
 */
function commandsOfPages(apiUrl: string): string {
  const synap = fileURLToPath(new URL("apps/cli/src/synap-cli.ts", root));
  return `npx() {
    case "$1 $2 $3" in
      "-y pnpm@12 load") shift 3; set -- load "$@" ;;
      "-y pnpm@12 synap") shift 3 ;;
      *) return 1 ;;
    esac
    '${process.execPath}' --import '${import.meta.resolve("tsx")}' '${synap}' "$@" --url '${apiUrl}'
  }`;
}

/** Repeats until the value is right or a minute is over: what was accepted is stored a moment later. */
export async function eventually<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await read();
    if (done(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
