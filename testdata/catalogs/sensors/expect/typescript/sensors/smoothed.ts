// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `sensors/smoothed`. */
export type Document = {
    at: string;
    /** The mean of the last readings */
    celsius: number;
    sensor: string;
};
