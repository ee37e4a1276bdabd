// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/idle-bikes`. */
export type Document = {
    bike: number;
    since: string;
    station: string;
};
