CREATE TABLE quake (
  id TEXT NOT NULL PRIMARY KEY,
  time INTEGER NOT NULL,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  mag REAL
);

-- The later quakes of a strong one are found by time; of a later one, the few strong ones before it.
CREATE INDEX quake_by_time ON quake (time);
CREATE INDEX strong_quake_by_time ON quake (time) WHERE mag >= 4.5;

-- Every strong quake with every quake of the 24 hours after it, and their distance on a great circle (haversine formula).
CREATE VIEW pair AS
SELECT
  mainshock.id AS mainshock,
  aftershock.id AS aftershock,
  mainshock.mag AS mainshock_mag,
  aftershock.mag AS mag,
  (aftershock.time - mainshock.time) / 1000.0 AS delay_s,
  2 * 6371.0 * asin(min(1.0, sqrt(
    pow(sin(radians(aftershock.latitude - mainshock.latitude) / 2), 2)
    + cos(radians(mainshock.latitude)) * cos(radians(aftershock.latitude))
      * pow(sin(radians(aftershock.longitude - mainshock.longitude) / 2), 2)
  ))) AS distance_km
FROM quake AS mainshock
JOIN quake AS aftershock
  ON aftershock.time > mainshock.time
  AND aftershock.time <= mainshock.time + 24 * 3600 * 1000
WHERE mainshock.mag >= 4.5;
