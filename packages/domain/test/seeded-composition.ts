import { composeModules } from "@synap/handlers/internal";
import { seededDomain } from "../src/seeded-domain.ts";

/** The composition without a config file: the seeded domain, the audit log and the compliance figures. */
export const seededComposition = composeModules([{ path: "seededDomain", module: seededDomain }]);
