CREATE TABLE IF NOT EXISTS "aftershocks" (
    "mainshock" TEXT NOT NULL,
    "aftershock" TEXT NOT NULL,
    "delay_s" DOUBLE PRECISION,
    "distance_km" DOUBLE PRECISION,
    "flow_published_at" TIMESTAMPTZ,
    "mag" DOUBLE PRECISION,
    "mainshock_mag" DOUBLE PRECISION,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("mainshock", "aftershock")
);
COMMENT ON COLUMN "aftershocks"."mainshock" IS 'Id of the earlier, stronger quake.';
COMMENT ON COLUMN "aftershocks"."aftershock" IS 'Id of the later quake.';
COMMENT ON COLUMN "aftershocks"."delay_s" IS 'Seconds between the two.';
COMMENT ON COLUMN "aftershocks"."distance_km" IS 'Distance on the surface of the earth.';
COMMENT ON COLUMN "aftershocks"."flow_published_at" IS 'Time of publication';
COMMENT ON COLUMN "aftershocks"."mag" IS 'Magnitude of the later quake.';
