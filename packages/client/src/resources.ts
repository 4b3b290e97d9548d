import type { HTTP_RESOURCES } from "@synap/types/http";
import type { z } from "zod";

/** A resource of the API by its name in the OpenAPI document: `Resource<"DeadLetter">`. */
export type Resource<Name extends keyof typeof HTTP_RESOURCES> = z.output<(typeof HTTP_RESOURCES)[Name]>;

/** The name of a resource. */
export type ResourceName = keyof typeof HTTP_RESOURCES;
