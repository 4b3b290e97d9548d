/**
 * The commands of the production images, from the root of the repository. The Dockerfile must run exactly these
 * (scripts/test/compose.test.ts), and the tests of separate processes run exactly these too.
 */
export const productionCommands = {
  migrate: ["node", "apps/cli/dist/migrate/main.js"],
  api: ["node", "apps/api/dist/main.js"],
  worker: ["node", "apps/worker/dist/main.js"],
} as const;
