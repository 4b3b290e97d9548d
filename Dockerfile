# syntax=docker/dockerfile:1
# Three images from one build: docker build --target api (or worker, or migrate) .
# The programs are bundled with everything they need: an image holds Node.js and the bundle with its SQL, and no
# package manager's leftovers.

FROM node:20-slim AS build
WORKDIR /synap
ENV CI=1
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/api/package.json apps/api/
COPY apps/cli/package.json apps/cli/
COPY apps/worker/package.json apps/worker/
COPY packages/client/package.json packages/client/
COPY packages/database/package.json packages/database/
COPY packages/domain/package.json packages/domain/
COPY packages/handlers/package.json packages/handlers/
COPY packages/archive/package.json packages/archive/
COPY packages/http/package.json packages/http/
COPY packages/inngest-local/package.json packages/inngest-local/
COPY packages/service/package.json packages/service/
COPY packages/synap/package.json packages/synap/
COPY packages/types/package.json packages/types/
COPY examples/shop/package.json examples/shop/
COPY scripts/package.json scripts/
COPY bench/package.json bench/
RUN npx -y pnpm@12 install --frozen-lockfile
COPY . .
RUN npx -y pnpm@12 build

FROM node:20-slim AS runtime
ENV NODE_ENV=production
WORKDIR /synap
USER node

FROM runtime AS migrate
COPY --from=build /synap/apps/cli/dist apps/cli/dist
CMD ["node", "apps/cli/dist/migrate/main.js"]

FROM runtime AS api
COPY --from=build /synap/apps/api/package.json apps/api/
COPY --from=build /synap/apps/api/dist apps/api/dist
EXPOSE 3400
CMD ["node", "apps/api/dist/main.js"]

FROM runtime AS worker
COPY --from=build /synap/apps/worker/package.json apps/worker/
COPY --from=build /synap/apps/worker/dist apps/worker/dist
EXPOSE 3401
CMD ["node", "apps/worker/dist/main.js"]
