CREATE TABLE IF NOT EXISTS "smoothed" (
    "sensor" TEXT NOT NULL,
    "at" TEXT NOT NULL,
    "celsius" REAL,
    "flow_published_at" TEXT,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("sensor", "at")
);
