/** True if this process runs from the sources in Synap's repository, and not from an installed package. */
const isRepository = import.meta.url.endsWith(".ts");

/** The command of the `synap` program in messages and help texts. */
export const SYNAP_COMMAND = isRepository ? "npx -y pnpm@12 synap" : "npx synap";

/** The command that runs the whole of Synap in one process. */
export const START_COMMAND = isRepository ? "npm start" : "npx synap start";
