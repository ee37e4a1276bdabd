//! Names of properties as the engine has them: atoms.
//!
//! The documents of a source have the same names, mostly in the same order. So each name is made an atom once, and
//! remembers which name came after it: the next one is there without a search.

use std::collections::HashMap;

use rquickjs::{Atom, Ctx, Persistent, Result};

/// Names beyond this many are made anew whenever they come.
const NAMES_MAX: usize = 4096;

/// The names that have come so far, between two calls of the engine.
#[derive(Default)]
pub(super) struct Names {
    texts: Texts,
    atoms: Option<Persistent<Vec<Atom<'static>>>>,
}

/// The same within a call.
pub(super) struct Atoms<'n, 'js> {
    names: &'n mut Names,
    script: Ctx<'js>,
    /// The atoms of the texts.
    atoms: Vec<Atom<'js>>,
    /// The index of the name that came last.
    last: usize,
    /// The text of a name that is not remembered.
    other: String,
}

/// What is known of the names.
#[derive(Default)]
struct Texts {
    all: Vec<Text>,
    by_text: HashMap<Box<str>, usize>,
}

struct Text {
    text: Box<str>,
    /// The index of the name that came after it.
    next: usize,
}

impl Names {
    /// The names within a call; [`Atoms::keep`] ends it.
    pub(super) fn within<'n, 'js>(&'n mut self, script: &Ctx<'js>) -> Result<Atoms<'n, 'js>> {
        let atoms = match self.atoms.take() {
            Some(atoms) => atoms.restore(script)?,
            None => Vec::new(),
        };
        // A call that failed has not given its atoms back.
        if atoms.is_empty() {
            self.texts = Texts::default();
        }
        Ok(Atoms { names: self, script: script.clone(), atoms, last: 0, other: String::new() })
    }
}

impl<'js> Atoms<'_, 'js> {
    /// Keeps the names for the next call.
    pub(super) fn keep(self) {
        self.names.atoms = Some(Persistent::save(&self.script, self.atoms));
    }

    /// The atom of the next name.
    pub(super) fn atom(&mut self, text: &str) -> Result<Atom<'js>> {
        let expected = self.expected();
        if let Some((known, atom)) = self.known(expected)
            && known == text
        {
            let atom = atom.clone();
            self.last = expected;
            return Ok(atom);
        }
        match self.names.texts.by_text.get(text).copied() {
            Some(index) => {
                self.follow(index);
                self.atoms.get(index).cloned().map_or_else(|| self.make(text), Ok)
            }
            None => {
                let atom = self.make(text)?;
                self.remember(text, &atom);
                Ok(atom)
            }
        }
    }

    /// The text of the next name.
    pub(super) fn text(&mut self, atom: &Atom<'js>) -> Result<&str> {
        let expected = self.expected();
        let is_expected = self.known(expected).is_some_and(|(_, known)| known == atom);
        if is_expected {
            self.last = expected;
        } else {
            let text = atom.to_js_string()?.to_string()?;
            match self.names.texts.by_text.get(text.as_str()).copied() {
                Some(index) => self.follow(index),
                None if self.remember(&text, atom) => {}
                None => {
                    self.other = text;
                    return Ok(&self.other);
                }
            }
        }
        Ok(self.known(self.last).map_or("", |(text, _)| text))
    }

    fn known(&self, index: usize) -> Option<(&str, &Atom<'js>)> {
        Some((&self.names.texts.all.get(index)?.text, self.atoms.get(index)?))
    }

    /// The index of the name that came last time after the one that came last.
    fn expected(&self) -> usize {
        self.names.texts.all.get(self.last).map_or(0, |last| last.next)
    }

    /// A name has come that was not expected.
    fn follow(&mut self, index: usize) {
        if let Some(last) = self.names.texts.all.get_mut(self.last) {
            last.next = index;
        }
        self.last = index;
    }

    fn make(&self, text: &str) -> Result<Atom<'js>> {
        Atom::from_str(self.script.clone(), text)
    }

    /// Remembers a new name, unless there are too many; says whether it does.
    fn remember(&mut self, text: &str, atom: &Atom<'js>) -> bool {
        let index = self.atoms.len();
        if index >= NAMES_MAX {
            return false;
        }
        let Texts { all, by_text } = &mut self.names.texts;
        all.push(Text { text: text.into(), next: 0 });
        by_text.insert(text.into(), index);
        self.atoms.push(atom.clone());
        self.follow(index);
        true
    }
}
