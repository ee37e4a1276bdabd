CREATE TABLE IF NOT EXISTS "decisions" (
    "id" INTEGER NOT NULL,
    "account" TEXT,
    "amount" INTEGER,
    "flow_published_at" TEXT,
    "funds" INTEGER,
    "outcome" TEXT,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("id")
);
