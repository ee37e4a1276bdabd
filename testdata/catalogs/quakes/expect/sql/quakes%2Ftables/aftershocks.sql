CREATE TABLE IF NOT EXISTS "aftershocks" (
    "mainshock" TEXT NOT NULL,
    "aftershock" TEXT NOT NULL,
    "delay_s" REAL,
    "distance_km" REAL,
    "flow_published_at" TEXT,
    "mag" REAL,
    "mainshock_mag" REAL,
    "flow_document" TEXT NOT NULL,
    PRIMARY KEY ("mainshock", "aftershock")
);
