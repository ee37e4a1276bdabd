//! What modules write with `console`.

use crate::limits::{SCRIPT_LOG_LINE_BYTES_MAX, SCRIPT_LOG_LINES_MAX};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function of `console` that wrote it, such as `warn`.
    pub level: String,
    /// The text, on one line.
    pub text: String,
}

/// Lines that have not been handed on, of bounded size.
#[derive(Debug, Default)]
pub struct Log {
    lines: Vec<LogLine>,
    dropped: usize,
}

impl Log {
    /// Adds a text, line by line.
    pub fn add(&mut self, level: &str, text: &str) {
        for line in text.lines() {
            if self.lines.len() >= SCRIPT_LOG_LINES_MAX {
                self.dropped += 1;
                continue;
            }
            let end = line.floor_char_boundary(SCRIPT_LOG_LINE_BYTES_MAX);
            let cut = if end < line.len() { "…" } else { "" };
            let text = format!("{}{cut}", line.get(..end).unwrap_or_default());
            self.lines.push(LogLine { level: level.to_owned(), text });
        }
    }

    /// The lines, and how many more there were.
    pub fn take(&mut self) -> Vec<LogLine> {
        let mut lines = std::mem::take(&mut self.lines);
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let text = format!("{dropped} more lines were not kept");
            lines.push(LogLine { level: "warn".to_owned(), text });
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded() {
        let mut log = Log::default();
        log.add("log", "one\ntwo");
        log.add("warn", &"ä".repeat(SCRIPT_LOG_LINE_BYTES_MAX));
        (0..SCRIPT_LOG_LINES_MAX).for_each(|_| log.add("log", "more"));
        let lines = log.take();
        assert_eq!(lines.len(), SCRIPT_LOG_LINES_MAX + 1);
        assert_eq!(lines.first().map(|line| line.text.as_str()), Some("one"));
        let long = lines.get(2).expect("it was added");
        assert_eq!((long.level.as_str(), long.text.chars().count()), ("warn", 2049));
        assert_eq!(lines.last().map(|line| &*line.text), Some("3 more lines were not kept"));
        assert!(log.take().is_empty());
    }
}
