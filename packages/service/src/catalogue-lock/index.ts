export {
  type CatalogueLock,
  CatalogueLockError,
  lockCatalogue,
  readLock,
  writeLock,
} from "./catalogue-lock.ts";
export {
  checkCatalogue,
  type Direction,
  isBreak,
  type TypeCheck,
  type Verdict,
} from "./check-catalogue.ts";
export { checkStoredEvent, type StoredEventFault } from "./check-stored-event.ts";
export { judgeByCode } from "./judge-by-code.ts";
export type { VersionFinding } from "./try-upcasts.ts";
