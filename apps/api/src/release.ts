import manifest from "../package.json" with { type: "json" };

/** The release of this API. */
export const RELEASE: string = manifest.version;
