// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `quakes/daily`. */
export type Document = {
    count: number;
    day: string;
    depth_sum_km: number;
    latest: string;
    network: string;
    /** The quake of the greatest magnitude; among equals that of the greatest id. One without a magnitude comes last. */
    strongest: {
        id: string;
        mag: number | null;
        place: string | null;
    };
};
