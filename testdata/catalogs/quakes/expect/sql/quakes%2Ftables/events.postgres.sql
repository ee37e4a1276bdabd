CREATE TABLE IF NOT EXISTS "events" (
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ,
    "day" TEXT,
    "depth_km" DOUBLE PRECISION,
    "feed" TEXT,
    "flow_published_at" TIMESTAMPTZ,
    "latitude" DOUBLE PRECISION,
    "longitude" DOUBLE PRECISION,
    "mag" DOUBLE PRECISION,
    "network" TEXT,
    "place" TEXT,
    "time" BIGINT,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("id")
);
COMMENT ON COLUMN "events"."feed" IS 'The feed it was read from.';
COMMENT ON COLUMN "events"."flow_published_at" IS 'Time of publication';
COMMENT ON COLUMN "events"."time" IS 'Milliseconds since 1970.';
