// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `animals/sightings`. */
export type Document = {
    count: number;
    genus: string;
    id: string;
    seen_at: string;
    species: string;
    /**
     * GeoJSON Point
     * One position.
     */
    where: {
        /** The extent of the coordinates: all lower bounds, then all upper bounds. */
        bbox?: number[];
        /** Longitude, latitude and optionally altitude. */
        coordinates: number[];
        type: "Point";
    };
};
