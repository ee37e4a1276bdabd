//! Public schemas that ship with Tidegate, so that catalogs may refer to them without a network.

/// The texts of schemas, by the last part of their URL.
macro_rules! geojson {
    ($($name:literal),* $(,)?) => {
        const GEOJSON: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../schema/geojson/", $name)))),*
        ];
    };
}

geojson!(
    "Point.json",
    "MultiPoint.json",
    "LineString.json",
    "MultiLineString.json",
    "Polygon.json",
    "MultiPolygon.json",
    "GeometryCollection.json",
    "Geometry.json",
    "Feature.json",
    "FeatureCollection.json",
    "GeoJSON.json",
);

/// The text of a public schema that ships with Tidegate (GeoJSON), by its URL without fragment.
///
/// `http` is taken for `https`, and an empty fragment is ignored.
pub fn well_known(url: &str) -> Option<&'static str> {
    let url = url.strip_suffix('#').unwrap_or(url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let name = rest.strip_prefix("geojson.org/schema/")?;
    GEOJSON.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
