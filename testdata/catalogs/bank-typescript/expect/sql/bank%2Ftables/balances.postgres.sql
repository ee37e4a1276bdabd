CREATE TABLE IF NOT EXISTS "balances" (
    "account" TEXT NOT NULL,
    "balance" BIGINT,
    "flow_published_at" TIMESTAMPTZ,
    "flow_document" JSON NOT NULL,
    PRIMARY KEY ("account")
);
COMMENT ON COLUMN "balances"."flow_published_at" IS 'Time of publication';
