import { composeModules } from "@synap/handlers";
import { seededDomain } from "../src/seeded-domain.ts";

/** What runs without a config file: the seeded domain, the audit log and the compliance figures. */
export const seededComposition = composeModules([{ place: "seededDomain", module: seededDomain }]);
