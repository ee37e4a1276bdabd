// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `sensors/readings`. */
export type Document = {
    at: string;
    celsius: number;
    sensor: string;
};
