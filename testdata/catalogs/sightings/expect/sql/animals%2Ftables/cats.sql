CREATE TABLE IF NOT EXISTS "cats" (
    "id" TEXT NOT NULL,
    "flow_published_at" TEXT,
    "species" TEXT
);
