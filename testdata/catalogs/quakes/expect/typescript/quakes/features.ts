// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `quakes/features`. */
export type Document = {
    geometry: {
        /** Longitude, latitude and depth in kilometres. */
        coordinates: [number, number, number | null];
        type: "Point";
    };
    /** Unique name of the quake among all networks. */
    id: string;
    properties: {
        /** The magnitude. */
        mag: number | null;
        /** The network that reported it first. */
        net: string;
        /** Where it was, in words. */
        place: string | null;
        /** When it was, in milliseconds since 1970; within three centuries. */
        time: number;
        /** What it was: earthquake, explosion, quarry blast and so on. */
        type: string;
    };
    type: "Feature";
};
