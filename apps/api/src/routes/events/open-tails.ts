import { actorOf } from "@synap/types/http";
import { counted } from "@synap/types/internal";
import type { ApiConfiguration } from "../../configuration.ts";
import type { Principal } from "../../identity/principal.ts";
import { Problem } from "../../problems/problem.ts";

/** The open tails of a process. Each takes the memory of a batch of events, and time at every append. */
export class OpenTails {
  readonly #limits: Pick<ApiConfiguration, "maxTails" | "maxTailsEach">;
  readonly #byPrincipal = new Map<string, number>();
  #all = 0;

  constructor(limits: Pick<ApiConfiguration, "maxTails" | "maxTailsEach">) {
    this.#limits = limits;
  }

  /** Counts a tail. Returns a function to call once, when it has ended. @throws Problem `too-many-tails` */
  open(principal: Pick<Principal, "kind" | "id">): () => void {
    const name = actorOf(principal);
    const own = this.#byPrincipal.get(name) ?? 0;
    const { maxTails, maxTailsEach } = this.#limits;
    if (this.#all >= maxTails) throw tooMany(maxTails, "of this API", "SYNAP_MAX_TAILS");
    if (own >= maxTailsEach) throw tooMany(maxTailsEach, "of one principal", "SYNAP_MAX_TAILS_EACH");
    this.#all += 1;
    this.#byPrincipal.set(name, own + 1);
    return () => {
      this.#all -= 1;
      const left = (this.#byPrincipal.get(name) ?? 1) - 1;
      if (left > 0) this.#byPrincipal.set(name, left);
      else this.#byPrincipal.delete(name);
    };
  }
}

function tooMany(limit: number, of: string, variable: string): Problem {
  return new Problem(
    "too-many-tails",
    `${counted(limit, "tail is", "tails are")} open, the maximum ${of}. Close one, or set ${variable} higher.`,
    { retryAfterSeconds: 5, members: { limit } },
  );
}
