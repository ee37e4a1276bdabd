CREATE TABLE IF NOT EXISTS "cats" (
    "id" TEXT NOT NULL,
    "flow_published_at" TIMESTAMPTZ,
    "species" TEXT
);
COMMENT ON COLUMN "cats"."flow_published_at" IS 'Time of publication';
