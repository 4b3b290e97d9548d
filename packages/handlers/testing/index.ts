/** Given/when/then for handlers and for deciders. */

export { type DecidedScenario, type DeciderScenario, deciderScenario } from "./decider-scenario.ts";
export {
  catchUpFully,
  type HandlerScenario,
  type HandlerScenarioOptions,
  handlerScenario,
} from "./handler-scenario.ts";
