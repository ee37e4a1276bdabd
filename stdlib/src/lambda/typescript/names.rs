//! Names of transforms as names of TypeScript.

/// The method that a transform calls: its name without what is neither letter nor digit, the letters after such
/// characters in upper case.
pub fn method_name(transform: &str) -> String {
    camel_case(transform, Raise::Nothing)
}

/// The type of the documents that a transform reads.
pub fn source_type_name(transform: &str) -> String {
    format!("Source{}", camel_case(transform, Raise::Next))
}

/// Whether the next letter becomes upper case.
#[derive(Clone, Copy)]
enum Raise {
    Next,
    Nothing,
}

fn camel_case(name: &str, mut raise: Raise) -> String {
    let mut joined = String::with_capacity(name.len());
    for character in name.chars() {
        if !character.is_alphanumeric() {
            raise = Raise::Next;
            continue;
        }
        match raise {
            Raise::Next => joined.extend(character.to_uppercase()),
            Raise::Nothing => joined.push(character),
        }
        raise = Raise::Nothing;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_words_raises_the_next() {
        let names = ["from-int.2", "fromOrders", "from_the__start", "-late", "über-uns", "2nd"];
        let methods = names.map(method_name);
        assert_eq!(methods, ["fromInt2", "fromOrders", "fromTheStart", "Late", "überUns", "2nd"]);
        let types = names.map(source_type_name);
        assert_eq!(
            types,
            [
                "SourceFromInt2",
                "SourceFromOrders",
                "SourceFromTheStart",
                "SourceLate",
                "SourceÜberUns",
                "Source2nd",
            ]
        );
    }
}
