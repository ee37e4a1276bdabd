//! Text of users in messages: as much of it as helps, on one line.

/// Characters of a quoted text beyond which its middle is left out.
const QUOTED_CHARS_MAX: usize = 80;
/// What is kept of its beginning and its end.
const KEPT_CHARS: (usize, usize) = (56, 16);
/// Characters of a whole message beyond which its end is left out.
const MESSAGE_CHARS_MAX: usize = 400;

/// A message on one line, whose quoted parts are short enough to read; an empty one is shown as `""`.
pub(super) fn on_one_line(text: String) -> String {
    let is_short = text.len() <= QUOTED_CHARS_MAX;
    if is_short && !text.contains(char::is_control) && !text.contains("``") {
        return text;
    }
    // A text of the user's with a back-tick in it may leave one without its fellow, and then nobody can tell what is quoted.
    let is_balanced = text.matches('`').count().is_multiple_of(2);
    let parts = text.split('`').enumerate();
    let shown: Vec<String> = parts
        .map(|(index, part)| match (index % 2 == 1, is_balanced) {
            (true, true) if part.is_empty() => "\"\"".to_owned(),
            (true, _) => shortened(part),
            (false, _) => part.to_owned(),
        })
        .collect();
    let mut message = shown.join("`").replace(char::is_control, " ");
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS_MAX) {
        message.truncate(end);
        message.push('…');
    }
    message
}

/// A text without its middle, when it is long.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= QUOTED_CHARS_MAX {
        return text.to_owned();
    }
    let (first, last) = KEPT_CHARS;
    let beginning: String = text.chars().take(first).collect();
    let end: String = text.chars().skip(count - last).collect();
    format!("{beginning}…{end}")
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn short_messages_stay_as_they_are() {
        let text = "collection `acme/orders` is not defined";
        assert_eq!(on_one_line(text.to_owned()), text);
    }

    #[test]
    fn nothing_is_shown_as_nothing() {
        let shown = on_one_line("collection `` is not defined".to_owned());
        assert_eq!(shown, "collection `\"\"` is not defined");
    }

    #[test]
    fn long_quotations_lose_their_middle() {
        let text = format!("`{}` is not defined, nor is `b\nc`", "é".repeat(500));
        let shown = on_one_line(text);
        assert!(shown.chars().count() < 130, "{shown}");
        assert!(shown.ends_with("é` is not defined, nor is `b c`"), "{shown}");
        let text = "x".repeat(5000);
        assert_eq!(on_one_line(text).chars().count(), 401);
    }
}
