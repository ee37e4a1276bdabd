// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/roads`. */
export type Document = {
    from: string;
    to: string;
};
