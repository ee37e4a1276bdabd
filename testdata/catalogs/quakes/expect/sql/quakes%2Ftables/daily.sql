CREATE TABLE IF NOT EXISTS "daily" (
    "network" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "count" INTEGER,
    "depth_sum_km" REAL,
    "flow_published_at" TEXT,
    "latest" TEXT,
    "mag" REAL,
    "place" TEXT,
    "quake" TEXT,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("network", "day")
);
