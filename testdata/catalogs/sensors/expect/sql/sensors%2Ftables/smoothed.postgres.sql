CREATE TABLE IF NOT EXISTS "smoothed" (
    "sensor" TEXT NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "celsius" DOUBLE PRECISION,
    "flow_published_at" TIMESTAMPTZ,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("sensor", "at")
);
COMMENT ON COLUMN "smoothed"."celsius" IS 'The mean of the last readings';
COMMENT ON COLUMN "smoothed"."flow_published_at" IS 'Time of publication';
