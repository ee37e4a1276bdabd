CREATE TABLE IF NOT EXISTS "balances" (
    "account" TEXT NOT NULL,
    "balance" INTEGER,
    "flow_published_at" TEXT,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("account")
);
