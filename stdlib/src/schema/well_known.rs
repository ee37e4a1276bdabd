//! Public schemas that ship with Tidegate, so that catalogs may refer to them without a network.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use referencing::meta;
use serde_json::Value;

use crate::value::to_text;

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

/// The schemas of JSON Schema itself, by the last parts of their URLs, in canonical text.
static DIALECTS: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let schemas: [(&str, &Arc<Value>); 17] = [
        ("draft-07/schema", &meta::DRAFT7),
        ("draft/2019-09/schema", &meta::DRAFT201909),
        ("draft/2019-09/meta/applicator", &meta::DRAFT201909_APPLICATOR),
        ("draft/2019-09/meta/content", &meta::DRAFT201909_CONTENT),
        ("draft/2019-09/meta/core", &meta::DRAFT201909_CORE),
        ("draft/2019-09/meta/format", &meta::DRAFT201909_FORMAT),
        ("draft/2019-09/meta/meta-data", &meta::DRAFT201909_META_DATA),
        ("draft/2019-09/meta/validation", &meta::DRAFT201909_VALIDATION),
        ("draft/2020-12/schema", &meta::DRAFT202012),
        ("draft/2020-12/meta/applicator", &meta::DRAFT202012_APPLICATOR),
        ("draft/2020-12/meta/content", &meta::DRAFT202012_CONTENT),
        ("draft/2020-12/meta/core", &meta::DRAFT202012_CORE),
        ("draft/2020-12/meta/format-annotation", &meta::DRAFT202012_FORMAT_ANNOTATION),
        ("draft/2020-12/meta/format-assertion", &meta::DRAFT202012_FORMAT_ASSERTION),
        ("draft/2020-12/meta/meta-data", &meta::DRAFT202012_META_DATA),
        ("draft/2020-12/meta/unevaluated", &meta::DRAFT202012_UNEVALUATED),
        ("draft/2020-12/meta/validation", &meta::DRAFT202012_VALIDATION),
    ];
    schemas.into_iter().map(|(name, schema)| (name, to_text(schema))).collect()
});

/// The text of a public schema that ships with Tidegate (GeoJSON, JSON Schema), by its URL without
/// fragment.
///
/// `http` is taken for `https`, and an empty fragment is ignored.
pub fn well_known(url: &str) -> Option<&'static str> {
    let url = url.strip_suffix('#').unwrap_or(url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if let Some(name) = rest.strip_prefix("json-schema.org/") {
        return DIALECTS.get(name).map(String::as_str);
    }
    let name = rest.strip_prefix("geojson.org/schema/")?;
    GEOJSON.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
