// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `quakes/events`. */
export type Document = {
    at: string;
    day: string;
    depth_km?: number | null;
    /** The feed it was read from. */
    feed: string;
    id: string;
    latitude: number;
    longitude: number;
    mag?: number | null;
    network: string;
    place?: string | null;
    /** Milliseconds since 1970. */
    time: number;
};
