//! Documents of files: JSON lines, JSON arrays, GeoJSON features, CSV; plain, gzip, zstd.
