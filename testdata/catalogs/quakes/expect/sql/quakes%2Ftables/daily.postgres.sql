CREATE TABLE IF NOT EXISTS "daily" (
    "network" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "count" BIGINT,
    "depth_sum_km" DOUBLE PRECISION,
    "flow_published_at" TIMESTAMPTZ,
    "latest" TIMESTAMPTZ,
    "mag" DOUBLE PRECISION,
    "place" TEXT,
    "quake" TEXT,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("network", "day")
);
COMMENT ON COLUMN "daily"."flow_published_at" IS 'Time of publication';
