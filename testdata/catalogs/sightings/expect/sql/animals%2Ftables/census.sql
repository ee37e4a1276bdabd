CREATE TABLE IF NOT EXISTS "census" (
    "genus" TEXT NOT NULL,
    "species" TEXT NOT NULL,
    "flow_published_at" TEXT,
    "last/at" TEXT,
    "last/where/bbox" TEXT,
    "last/where/coordinates" TEXT,
    "last/where/type" TEXT,
    "seen" INTEGER,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("genus", "species")
);
