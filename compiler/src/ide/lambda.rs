//! SQL lambdas and the parameters in them.

use crate::catalog::{Catalog, CollectionId};
use crate::model::InlineOrFile;
use crate::source::{FileId, Range, Role, Sources};

/// A lambda at the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) struct LambdaPlace<'s> {
    /// The collection that it reads.
    pub(super) source: CollectionId,
    /// Its bytes in the file.
    pub(super) text: &'s str,
    /// Where they begin.
    pub(super) start: u32,
}

/// The lambda whose text holds a byte of a file.
pub(super) fn lambda_at<'s>(
    sources: &'s Sources,
    catalog: &Catalog,
    file: FileId,
    offset: u32,
) -> Option<LambdaPlace<'s>> {
    let source_file = sources.file(file);
    if !matches!(source_file.role, Role::Catalog | Role::Config) {
        return None;
    }
    catalog.collections.iter().find_map(|collection| {
        let derive = collection.spec().derive.as_ref()?;
        derive.transforms.iter().zip(&collection.sources).find_map(|(transform, reference)| {
            let range = match transform.lambda.as_ref()? {
                InlineOrFile::Inline(inline) if collection.file() == file => {
                    block(&source_file.text, inline.range)
                }
                InlineOrFile::File(written) => {
                    let target = sources.resolve(collection.file(), &written.value, Role::Config);
                    (target?.0 == file).then_some(whole(&source_file.text))?
                }
                InlineOrFile::Inline(_) => return None,
            };
            let is_inside = range.start <= offset && offset <= range.end;
            let text = source_file.text.get(range.as_usize()).filter(|_| is_inside)?;
            Some(LambdaPlace { source: reference.target?, text, start: range.start })
        })
    })
}

fn whole(text: &str) -> Range {
    Range::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX))
}

/// The bytes of a value with the blanks behind it, where more of it may be written.
fn block(text: &str, range: Range) -> Range {
    let rest = text.get(range.end as usize..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
    Range::new(range.start, range.end + u32::try_from(blanks).unwrap_or(0))
}

/// The parameter at a byte of a lambda that begins at `start`.
pub(super) fn parameter_at(text: &str, start: u32, offset: u32) -> Option<Range> {
    let at = offset.checked_sub(start)? as usize;
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    let from = before.rfind(|character| !is_part(character)).map_or(0, |index| {
        index + before.get(index..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    });
    let to = at + after.find(|character| !is_part(character)).unwrap_or(after.len());
    let word = text.get(from..to)?;
    let begin = if word.starts_with('$') {
        from
    } else {
        // `:field` and `@field` are parameters, too.
        let sign = text.get(..from)?.chars().next_back()?;
        matches!(sign, ':' | '@').then(|| from - sign.len_utf8())?
    };
    let place = |index: usize| start + u32::try_from(index).unwrap_or(u32::MAX);
    (to > begin).then(|| Range::new(place(begin), place(to)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn parameter(text: &str) -> Option<String> {
        let offset = u32::try_from(text.find('|').unwrap()).unwrap();
        let text = text.replace('|', "");
        let range = parameter_at(&text, 0, offset)?;
        Some(text.get(range.as_usize()).unwrap().to_owned())
    }

    #[test]
    fn parameters_are_found_from_every_place_in_them() {
        for text in ["select |$a$b, 1", "select $a|$b, 1", "select $a$b|, 1"] {
            assert_eq!(parameter(text).as_deref(), Some("$a$b"));
        }
        assert_eq!(parameter("select :na|me").as_deref(), Some(":name"));
        assert_eq!(parameter("select na|me"), None);
        assert_eq!(parameter("select |, $a"), None);
        assert_eq!(parameter("'é', $|").as_deref(), Some("$"));
        assert_eq!(parameter("a$|"), None);
    }
}
