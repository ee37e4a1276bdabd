// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `quakes/aftershocks`. */
export type Document = {
    /** Id of the later quake. */
    aftershock: string;
    /** Seconds between the two. */
    delay_s: number;
    /** Distance on the surface of the earth. */
    distance_km: number;
    /** Magnitude of the later quake. */
    mag?: number | null;
    /** Id of the earlier, stronger quake. */
    mainshock: string;
    mainshock_mag: number;
};
