//! Where something is declared, where it is used, and how it is renamed everywhere.

use super::subject::{Subject, SubjectKind, references as references_of, subject};
use crate::catalog::{CollectionId, is_collection_name};
use crate::check::declaration_place;
use crate::diag::Edit;
use crate::session::Snapshot;
use crate::source::{FileId, Range, Span};

/// Where what stands at a byte of a file is declared.
pub fn definition(snapshot: &Snapshot, file: FileId, offset: u32) -> Option<Span> {
    let compilation = &snapshot.compilation;
    let catalog = &compilation.checked.catalog;
    match subject(snapshot, file, offset)?.kind {
        SubjectKind::Collection(id) => Some(catalog.collection(id).name_span()),
        SubjectKind::File(target, fragment) => Some(part_of_file(snapshot, target, fragment)),
        SubjectKind::Place(file, range) => Some(range.in_file(file)),
        SubjectKind::Location { collection, pointer } => {
            let schema = compilation.checked.collection(collection).effective_read_schema();
            declaration_place(schema, &pointer)
        }
        SubjectKind::Field(_) => None,
    }
}

/// The part of a file that the fragment of a reference names, or its beginning.
fn part_of_file(snapshot: &Snapshot, file: FileId, fragment: Option<String>) -> Span {
    let tree = snapshot.compilation.sources.file(file).tree.as_ref();
    let part = tree.zip(fragment).and_then(|(tree, fragment)| {
        let node = tree.at(tree.root(), &fragment)?;
        Some(tree.key_range(node))
    });
    part.unwrap_or_default().in_file(file)
}

/// Every place that names the collection at a byte of a file, its declaration first.
pub fn references(snapshot: &Snapshot, file: FileId, offset: u32) -> Vec<Span> {
    let Some((id, _)) = collection(snapshot, file, offset) else { return Vec::new() };
    places(snapshot, id)
}

/// The edits that give the collection at a byte of a file another name, and the bytes of its name there.
///
/// # Errors
/// Why it cannot have the name: lower case, no full stop.
pub fn rename(
    snapshot: &Snapshot,
    file: FileId,
    offset: u32,
    name: &str,
) -> Option<Result<Vec<Edit>, String>> {
    let (id, _) = collection(snapshot, file, offset)?;
    let catalog = &snapshot.compilation.checked.catalog;
    if !is_collection_name(name) {
        return Some(Err(format!("`{name}` cannot be the name of a collection")));
    }
    if catalog.collections.iter().any(|each| each.name() == name) {
        return Some(Err(format!("there is a collection `{name}` already")));
    }
    let edit = |span| Edit { span, text: name.to_owned() };
    Some(Ok(places(snapshot, id).into_iter().map(edit).collect()))
}

/// The name of a collection at a byte of a file.
pub(super) fn collection(
    snapshot: &Snapshot,
    file: FileId,
    offset: u32,
) -> Option<(CollectionId, Range)> {
    match subject(snapshot, file, offset)? {
        Subject { kind: SubjectKind::Collection(id), range } => Some((id, range)),
        Subject { .. } => None,
    }
}

fn places(snapshot: &Snapshot, id: CollectionId) -> Vec<Span> {
    let catalog = &snapshot.compilation.checked.catalog;
    let declared = catalog.collection(id);
    let used = references_of(catalog).filter(|reference| reference.target == Some(id));
    let mut places: Vec<Span> = used.map(|reference| reference.span).collect();
    places.sort_unstable();
    places.insert(0, declared.name_span());
    places.dedup();
    places
}
