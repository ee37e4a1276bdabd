// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/rides`. */
export type Document = {
    bike: number;
    ended: string;
    station: string;
};
