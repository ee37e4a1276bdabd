// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `animals/census`. */
export type Document = {
    genus: string;
    last: {
        at: string;
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
    seen: number;
    species: string;
};
