CREATE TABLE IF NOT EXISTS "events" (
    "id" TEXT NOT NULL,
    "at" TEXT,
    "day" TEXT,
    "depth_km" REAL,
    "feed" TEXT,
    "flow_published_at" TEXT,
    "latitude" REAL,
    "longitude" REAL,
    "mag" REAL,
    "network" TEXT,
    "place" TEXT,
    "time" INTEGER,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("id")
);
