import { apiKeys } from "./api-keys/api-keys.ts";
import { append } from "./append/append.ts";
import { archiveFormats } from "./archive-formats/archive-formats.ts";
import type { Benchmark } from "./benchmark.ts";
import { eventIds } from "./event-ids/event-ids.ts";
import { followers } from "./followers/followers.ts";
import { growth } from "./growth/growth.ts";
import { guesses } from "./guesses/guesses.ts";
import { http } from "./http/http.ts";
import { httpAppends } from "./http-appends/http-appends.ts";
import { lag } from "./lag/lag.ts";
import { overload } from "./overload/overload.ts";
import { peers } from "./peers/peers.ts";
import { pipeline } from "./pipeline/pipeline.ts";
import { processes } from "./processes/processes.ts";
import { reading } from "./reading/reading.ts";
import { storage } from "./storage/storage.ts";
import { storedForms } from "./stored-forms/stored-forms.ts";
import { visibility } from "./visibility/visibility.ts";

/** Everything that is measured, in the order of a full run. */
export const benchmarks: readonly Benchmark[] = [
  append,
  eventIds,
  peers,
  reading,
  followers,
  visibility,
  storage,
  archiveFormats,
  storedForms,
  http,
  httpAppends,
  pipeline,
  lag,
  overload,
  apiKeys,
  guesses,
  processes,
  growth,
];
