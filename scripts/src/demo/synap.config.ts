import { defineConfig, seededDomain } from "@synap/synap";
import { earthquakeRecorded } from "./earthquake-recorded.ts";

/** The seeded domain and the demo's earthquakes: what a person would give to `start --config`. */
export default defineConfig({ modules: [seededDomain], eventTypes: [earthquakeRecorded] });
