//! Diagnostics as text: one file per format, all pure functions of the same data.

pub mod concise;
pub mod human;
pub mod json;
#[cfg(test)]
mod tests;

/// What renderers need to know of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub color: bool,
    /// Whether box-drawing characters are wanted instead of ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}
