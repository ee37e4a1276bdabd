//! The engines that can run modules.

/// An engine of TypeScript lambdas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScriptEngine {
    /// The one inside of Tidegate.
    #[default]
    QuickJs,
    /// Node.js, a program of the user's.
    Node,
    /// Deno, a program of the user's.
    Deno,
}

impl ScriptEngine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::QuickJs, Self::Node, Self::Deno];

    /// Its name on the command line and in settings. A program is called by it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QuickJs => "quickjs",
            Self::Node => "node",
            Self::Deno => "deno",
        }
    }

    /// The engine of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// What it is, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::QuickJs => "inside of tidegate: nothing to install",
            Self::Node => "a process of Node.js, 20 or newer",
            Self::Deno => "a process of Deno, 2.8 or newer, without permissions",
        }
    }
}
