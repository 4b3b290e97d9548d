/** Whether this process runs the sources of Synap's own repository, and not what an application has installed. */
const isRepository = import.meta.url.endsWith(".ts");

/** The command of the `synap` program in messages and help texts. */
export const SYNAP_COMMAND = isRepository ? "npx -y pnpm@12 synap" : "npx synap";

/** The command that runs the whole of Synap in one process. */
export const START_COMMAND = isRepository ? "npm start" : "npx synap start";
