//! Documents against their values, and the fast parser against the strict one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::value::tests::any_value;

fn parsed(text: &str) -> Result<Document, crate::value::ParseFailure> {
    let mut builder = Builder::default();
    Parser::default().parse(text.as_bytes(), &mut builder)?;
    Ok(builder.finish())
}

#[test]
fn properties_are_sorted_and_the_last_of_one_name_stays() {
    let mut builder = Builder::default();
    builder.begin_object();
    for (name, value) in [("b", 1_u64), ("a", 2), ("b", 3)] {
        builder.name(name);
        builder.begin_array();
        builder.number(value.into());
        builder.end_array();
    }
    builder.end_object();
    assert!(builder.has_duplicates());
    assert_eq!(builder.finish().root().to_string(), r#"{"a":[2],"b":[3]}"#);
}

#[test]
fn values_are_found_by_pointer() {
    let document = Document::from_value(&json!({"a": [{"b": 1}, {"0": "x"}], "-": 2}));
    let at = |text: &str| document.root().query(&Pointer::parse(text).unwrap());
    assert_eq!(at("/a/0/b").unwrap().to_value(), json!(1));
    assert_eq!(at("/a/1/0").unwrap().to_value(), json!("x"));
    assert_eq!(at("/-").unwrap().to_value(), json!(2));
    assert!(at("/a/2").is_none());
    assert!(at("/a/b").is_none());
}

#[test]
fn texts_are_canonical() {
    for text in [
        r#"{"":"é\n\"","a":[1e20,-0.0,0,1.5,-3,18446744073709551615,1e300],"z":{}}"#,
        r#"[null,true,false,[],{}]"#,
        r#""x""#,
    ] {
        assert_eq!(parsed(text).unwrap().root().to_string(), text);
    }
}

#[test]
fn a_batch_drops_what_could_not_be_built() {
    let mut documents = Documents::default();
    let mut parser = Parser::default();
    for text in ["{\"a\":1}", "{\"b\":", "[2]"] {
        let _ = documents.add(|builder| parser.parse(text.as_bytes(), builder));
    }
    let texts: Vec<String> = documents.iter().map(|node| node.to_string()).collect();
    assert_eq!(texts, ["{\"a\":1}", "[2]"]);
}

proptest! {
    #[test]
    fn a_document_is_its_value(value in any_value()) {
        let document = Document::from_value(&value);
        prop_assert_eq!(document.root().to_value(), value.clone());
        prop_assert_eq!(document.root().to_string(), crate::value::to_text(&value));
        let read = parsed(&value.to_string()).unwrap();
        prop_assert_eq!(read.root().to_string(), document.root().to_string());
    }

    #[test]
    fn a_document_comes_back_from_its_bytes(value in any_value(), other in any_value()) {
        let (first, second) = (Document::from_value(&value), Document::from_value(&other));
        let mut out = Vec::new();
        write_binary(first.root(), &mut out);
        let end = out.len();
        write_binary(second.root(), &mut out);
        let mut bytes = out.as_slice();
        prop_assert_eq!(read_binary(&mut bytes).unwrap().root().to_string(), first.root().to_string());
        prop_assert_eq!(read_binary(&mut bytes).unwrap().root().to_string(), second.root().to_string());
        prop_assert!(bytes.is_empty());
        prop_assert!(read_binary(&mut out.get(..end - 1).unwrap()).is_none());
    }

    #[test]
    fn integers_come_back_from_their_bytes(value in any::<u64>(), shift in 0..64_u32) {
        let mut out = Vec::new();
        write_integer(value >> shift, &mut out);
        prop_assert_eq!(read_integer(&mut out.as_slice()), Some(value >> shift));
    }

    #[test]
    fn the_order_is_that_of_values(left in any_value(), right in any_value()) {
        let order = compare(
            Document::from_value(&left).root(),
            Document::from_value(&right).root(),
        );
        prop_assert_eq!(order, crate::value::compare(&left, &right));
    }

    /// The fast and the strict parser agree on every text.
    #[test]
    fn both_parsers_agree(text in "[\\[\\]{}\",:0-9eE.+\\-ab\\\\ut \n\u{e9}]{0,24}") {
        let strict = crate::value::parse(text.as_bytes()).map(|value| crate::value::to_text(&value));
        prop_assert_eq!(parsed(&text).map(|read| read.root().to_string()), strict);
    }

    #[test]
    fn both_parsers_agree_on_numbers(
        text in "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
    ) {
        let strict = crate::value::parse(text.as_bytes()).map(|value| crate::value::to_text(&value));
        prop_assert_eq!(parsed(&text).map(|read| read.root().to_string()), strict);
    }

    /// What one text looks like changes nothing of what is read from the next one.
    #[test]
    fn a_parser_reads_each_text_as_if_it_were_the_first(
        shapes in prop::collection::vec(shape(), 1..4),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0_u32..10, any::<bool>()), 1..40),
    ) {
        let (mut parser, mut builder) = (Parser::default(), Builder::default());
        for (pick, value, is_stamped) in picks {
            let shape = shapes[pick.index(shapes.len())].replace('#', &value.to_string());
            let text = if is_stamped {
                shape.replacen('{', "{\"_meta\":{\"uuid\":\"9f2952f3-c6a3-11ea-8802-080607050309\"},", 1)
            } else {
                shape.clone()
            };
            let strict = crate::value::parse(shape.as_bytes()).map(|value| crate::value::to_text(&value));
            let mut stamp = Stamp::default();
            let read = parser.parse_unstamped(text.as_bytes(), &mut builder, &mut stamp);
            let read = read.map(|()| builder.finish().root().to_string());
            prop_assert_eq!(read.ok(), strict.ok(), "{}", text);
        }
    }

    /// Texts that are JSON but for a token that was put in, or in the place of another.
    #[test]
    fn both_parsers_agree_on_nearly_sound_texts(
        value in any_value(),
        names in prop::collection::vec("[a-c]{0,2}|a{7,9}[ab]?", 0..6),
        token in prop::sample::select(TOKENS),
        at in any::<prop::sample::Index>(),
        removed in 0_usize..3,
        is_spaced in any::<bool>(),
    ) {
        let members: Vec<String> =
            names.iter().map(|name| format!("\"{name}\":{value}")).collect();
        let mut text = format!("{{{}}}", members.join(","));
        if is_spaced {
            text = text.replace(':', " :\t").replace(',', " \r\n, ");
        }
        let agree = |text: &[u8]| {
            let strict = crate::value::parse(text).map(|value| crate::value::to_text(&value));
            let mut builder = Builder::default();
            let read = Parser::default().parse(text, &mut builder);
            (read.map(|()| builder.finish().root().to_string()), strict)
        };
        let (read, strict) = agree(text.as_bytes());
        prop_assert_eq!(read, strict);
        let at = at.index(text.len());
        let mut text = text.into_bytes();
        text.splice(at..(at + removed).min(text.len()), token.bytes());
        let (read, strict) = agree(&text);
        prop_assert_eq!(read, strict, "{}", String::from_utf8_lossy(&text));
    }
}

/// Texts of objects in arrays and objects, with a place for a number.
fn shape() -> impl Strategy<Value = String> {
    let names = "[a-c]{1,2}|a{5,7}b?|name_of_(17|eighteen)_bytes?|n\\\\u0061me|";
    let leaf =
        prop_oneof![Just("#".to_owned()), Just("\"#\"".to_owned()), Just(" null".to_owned())];
    let inner = leaf.prop_recursive(3, 20, 5, move |inner| {
        let member = (names, inner.clone(), prop_oneof![Just(":"), Just(" : ")]);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..7).prop_map(|members| {
                let members = members.into_iter();
                let members: Vec<String> = members
                    .map(|(name, value, colon)| format!("\"{name}\"{colon}{value}"))
                    .collect();
                format!("{{{}}}", members.join(" ,"))
            }),
        ]
    });
    inner.prop_map(|inner| format!("{{\"x\":{inner},\"a\":#}}"))
}

const TOKENS: &[&str] = &[
    "",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\u{0}",
    "\u{b}",
    "nul",
    "true",
    "-",
    "-0",
    "-0.0",
    "0.0",
    "00",
    "1e5",
    "1e-400",
    "1e400",
    "0.1e00005",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "1.2345678901234567890123",
    "\"\\u0061\"",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\ude00",
    "\\ud83d\\u0041",
    "\\u12",
    "\\x",
    "\\n\\/\\\"",
    "é",
    "\"a long string that is longer than a word, with é in it\"",
];
