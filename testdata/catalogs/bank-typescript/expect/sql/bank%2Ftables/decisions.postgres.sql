CREATE TABLE IF NOT EXISTS "decisions" (
    "id" BIGINT NOT NULL,
    "account" TEXT,
    "amount" BIGINT,
    "flow_published_at" TIMESTAMPTZ,
    "funds" BIGINT,
    "outcome" TEXT,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("id")
);
COMMENT ON COLUMN "decisions"."id" IS 'The transfer.';
COMMENT ON COLUMN "decisions"."account" IS 'Its sender.';
COMMENT ON COLUMN "decisions"."flow_published_at" IS 'Time of publication';
COMMENT ON COLUMN "decisions"."funds" IS 'What the sender had before.';
