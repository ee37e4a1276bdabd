//! Descriptors of connectors: what the compiler checks and the runtime opens, by image name.
//!
//! A descriptor is read from one folder under `stdlib/connector/`: `descriptor.json`, the schema of the endpoint's
//! config and the schema of a binding's resource.

/// What an endpoint is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Documents come from it.
    Capture,
    /// Documents go into it.
    Materialization,
}

/// One built-in connector.
#[derive(Debug)]
pub struct Connector {
    /// Canonical name, such as `materialize-sqlite`.
    pub name: &'static str,
    /// Images that name it: `tidegate/<name>` first, then public aliases. Compared without their tag.
    pub images: &'static [&'static str],
    /// What it is good for.
    pub protocol: Protocol,
    /// JSON Schema of the endpoint's `config`, as text.
    pub config_schema: &'static str,
    /// JSON Schema of a binding's `resource`, as text.
    pub resource_schema: &'static str,
    /// JSON pointers into the resource that together identify it (`/table`).
    pub resource_path: &'static [&'static str],
    /// Name of the SQL dialect of its tables, when it has tables.
    pub dialect: Option<&'static str>,
    /// JSON pointer into the resource of the flag for delta updates, when it has one.
    pub delta_updates: Option<&'static str>,
    /// JSON pointer into the resource of the table's name, when it has tables.
    pub table: Option<&'static str>,
    /// Names of tables that its database or the connector keeps for itself, compared without case; `*` at the end stands for
    /// whatever follows.
    pub reserved_tables: &'static [&'static str],
    /// Whether rows and checkpoint are committed in one transaction of the endpoint.
    pub transactional: bool,
}

impl Connector {
    /// Whether no binding may have a table of this name.
    pub fn reserves_table(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.reserved_tables.iter().any(|reserved| match reserved.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *reserved,
        })
    }
}

/// Finds the built-in connector that an image names, whatever its tag.
pub fn by_image(image: &str) -> Option<&'static Connector> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    ALL.iter().find(|connector| connector.images.contains(&name))
}

/// All built-in connectors, sorted by name.
pub const ALL: &[Connector] = &[
    Connector {
        name: "materialize-sqlite",
        images: &["tidegate/materialize-sqlite", "ghcr.io/estuary/materialize-sqlite"],
        protocol: Protocol::Materialization,
        config_schema: include_str!("../../connector/materialize-sqlite/config.schema.json"),
        resource_schema: include_str!("../../connector/materialize-sqlite/resource.schema.json"),
        resource_path: &["/table"],
        dialect: Some("sqlite"),
        delta_updates: Some("/delta_updates"),
        table: Some("/table"),
        reserved_tables: &["flow_checkpoints_v1", "sqlite_*"],
        transactional: true,
    },
    Connector {
        name: "source-file",
        images: &["tidegate/source-file"],
        protocol: Protocol::Capture,
        config_schema: include_str!("../../connector/source-file/config.schema.json"),
        resource_schema: include_str!("../../connector/source-file/resource.schema.json"),
        resource_path: &["/stream"],
        dialect: None,
        delta_updates: None,
        table: None,
        reserved_tables: &[],
        transactional: true,
    },
    Connector {
        name: "source-sim",
        images: &["tidegate/source-sim"],
        protocol: Protocol::Capture,
        config_schema: include_str!("../../connector/source-sim/config.schema.json"),
        resource_schema: include_str!("../../connector/source-sim/resource.schema.json"),
        resource_path: &["/stream"],
        dialect: None,
        delta_updates: None,
        table: None,
        reserved_tables: &[],
        transactional: true,
    },
];
