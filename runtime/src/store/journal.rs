//! Names of journals and places in them.

/// The name of a journal: collection, partition values sorted by field, pivot; for example
/// `acme/orders/region=eu/pivot=00`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalName(pub std::sync::Arc<str>);

/// A place in a journal: an offset in uncompressed bytes, and the incarnation (8 random bytes drawn when the journal
/// was created) that the offset belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JournalPosition {
    /// Drawn when the journal was created.
    pub incarnation: u64,
    /// Uncompressed bytes from the beginning.
    pub offset: u64,
}

impl JournalName {
    /// The journal with these values and this pivot.
    pub(crate) fn new(collection: &str, partitions: &str, pivot: &str) -> Self {
        let separator = if partitions.is_empty() { "" } else { "/" };
        Self(format!("{collection}/{partitions}{separator}pivot={pivot}").into())
    }

    /// The collection: what stands before the first `field=value`.
    pub(crate) fn collection(&self) -> &str {
        let mut end = 0;
        for component in self.0.split('/').take_while(|component| !component.contains('=')) {
            end += component.len() + 1;
        }
        self.0.get(..end.saturating_sub(1)).unwrap_or_default()
    }

    /// The partition fields with their encoded values, without the pivot.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (&str, &str)> {
        let (fields, _) = self.0.rsplit_once('/').unwrap_or_default();
        fields.split('/').filter_map(|component| component.split_once('='))
    }

    /// The value of `pivot=`, which is the last component.
    pub(crate) fn pivot(&self) -> Option<&str> {
        self.0.rsplit('/').next()?.strip_prefix("pivot=")
    }
}

impl std::fmt::Display for JournalName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_parts() {
        let name = JournalName::new("acme/orders", "a=1/b=%_2", "00");
        assert_eq!(name.to_string(), "acme/orders/a=1/b=%_2/pivot=00");
        assert_eq!(name.collection(), "acme/orders");
        assert_eq!(name.partitions().collect::<Vec<_>>(), [("a", "1"), ("b", "%_2")]);
        assert_eq!(name.pivot(), Some("00"));
    }

    #[test]
    fn a_name_without_partitions_has_a_pivot() {
        let name = JournalName::new("orders", "", "80000000-12345678");
        assert_eq!(name.to_string(), "orders/pivot=80000000-12345678");
        assert_eq!(name.collection(), "orders");
        assert_eq!(name.partitions().count(), 0);
        assert_eq!(name.pivot(), Some("80000000-12345678"));
    }
}
