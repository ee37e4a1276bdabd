INSERT INTO quake (id, time, latitude, longitude, mag)
VALUES ($id, $time, $latitude, $longitude, $mag)
ON CONFLICT (id) DO UPDATE SET
  time = excluded.time,
  latitude = excluded.latitude,
  longitude = excluded.longitude,
  mag = excluded.mag;

-- The stronger quakes before this one that have arrived already.
SELECT * FROM pair WHERE aftershock = $id AND distance_km <= 50;

-- And, when this one is strong itself, the quakes after it that have arrived already.
SELECT * FROM pair WHERE mainshock = $id AND distance_km <= 50;
