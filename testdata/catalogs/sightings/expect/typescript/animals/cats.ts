// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `animals/cats`. */
export type Document = {
    id: string;
    species: string;
};
