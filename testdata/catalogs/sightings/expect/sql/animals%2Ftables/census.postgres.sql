CREATE TABLE IF NOT EXISTS "census" (
    "genus" TEXT NOT NULL,
    "species" TEXT NOT NULL,
    "flow_published_at" TIMESTAMPTZ,
    "last/at" TIMESTAMPTZ,
    "last/where/bbox" JSON,
    "last/where/coordinates" JSON,
    "last/where/type" TEXT,
    "seen" BIGINT,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("genus", "species")
);
COMMENT ON COLUMN "census"."flow_published_at" IS 'Time of publication';
COMMENT ON COLUMN "census"."last/where/bbox" IS 'The extent of the coordinates: all lower bounds, then all upper bounds.';
COMMENT ON COLUMN "census"."last/where/coordinates" IS 'Longitude, latitude and optionally altitude.';
