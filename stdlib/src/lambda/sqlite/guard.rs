//! The authorizer: what a statement may touch depends on whose it is.
//!
//! Everything is refused that is not named here. SQLite asks while it prepares a statement, also
//! when it does so again at a step after the schema changed; so the mode is set around both. What
//! SQLite does not ask about (the end of a transaction by a conflict clause, a parent of a foreign
//! key, the target of a rename) is found in the tokens of the statement before it is prepared.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::{SqlFailure, SqlFailureKind};
use crate::limits::{
    LAMBDA_STEPS_MAX, SQL_MEMORY_BYTES_MAX, SQL_VALUE_SIZE_BYTES_MAX, STATEMENTS_CACHED_MAX,
};

/// Names with this beginning, in any case, are the runtime's.
pub(super) const RESERVED_PREFIX: &str = "tidegate_";

/// Steps between two looks at the limit.
const STEPS_COUNTED: u32 = 1000;

/// Virtual tables that a migration may create.
const MODULES: [&str; 2] = ["fts5", "rtree"];

/// Pragmas that only read, with or without an argument.
const PRAGMAS_OF_OBJECTS: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that read when they have no argument.
const PRAGMAS_OF_THE_DATABASE: [&str; 10] = [
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "function_list",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];

/// Tables that are there without having been created, and show what is none of a lambda's business.
const BUILT_IN_TABLES: [&str; 4] = ["bytecode", "dbstat", "module_list", "tables_used"];

/// Functions that reach out of the database.
const FUNCTIONS_DENIED: [&str; 2] = ["fts3_tokenizer", "load_extension"];

/// Whose statement is being prepared or stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardMode {
    /// The runtime's own: everything.
    Internal,
    /// A migration: create, alter, drop and write user objects.
    Migration,
    /// A lambda: read and write rows of user objects.
    Lambda,
}

/// The authorizer of one connection and the mode it is in.
#[derive(Debug, Clone)]
pub struct Guard {
    shared: Arc<Shared>,
}

/// What the guard and the hooks of its connection share.
#[derive(Debug, Default)]
struct Shared {
    /// A [`GuardMode`] by its [`code`].
    mode: AtomicU8,
    /// Steps since the limit was last reset.
    steps: AtomicU64,
    /// How many there may be.
    steps_max: AtomicU64,
    /// Why the last statement was refused.
    denial: Mutex<Option<Denial>>,
}

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// The name in the statement that it is about, if it is about one.
    pub(super) name: Option<String>,
    pub(super) message: String,
}

impl Guard {
    /// Installs the authorizer and the limits on a connection, once (installing it again would
    /// expire all statements).
    ///
    /// # Errors
    /// When SQLite was built without what lambdas need (its mathematical functions); the message
    /// says what is missing.
    pub fn install(connection: &mut rusqlite::Connection) -> Result<Self, SqlFailure> {
        let guard = Self { shared: Arc::default() };
        guard.limit_steps(LAMBDA_STEPS_MAX);
        guard.set_hooks(connection).map_err(|error| unusable(&error.to_string()))?;
        let root = connection.query_row("SELECT sqrt(4.0)", [], |row| row.get::<_, f64>(0));
        if root != Ok(2.0) {
            return Err(unusable("it was built without mathematical functions such as `sqrt`"));
        }
        Ok(guard)
    }

    /// Runs `work` in a mode and returns to the one before, also when `work` fails.
    pub fn within<T>(&self, mode: GuardMode, work: impl FnOnce() -> T) -> T {
        // Only the thread that has the connection sets the mode, so nothing need happen at once.
        let before = self.shared.mode.load(Ordering::Relaxed);
        self.shared.mode.store(code(mode), Ordering::Relaxed);
        let _restore = Restore { shared: &self.shared, before };
        work()
    }

    /// From now on an invocation may take this many steps.
    pub fn limit_steps(&self, steps_max: u64) {
        self.shared.steps_max.store(steps_max, Ordering::Relaxed);
    }

    /// Begins to count the steps of an invocation anew.
    pub(super) fn reset_steps(&self) {
        self.shared.steps.store(0, Ordering::Relaxed);
    }

    /// Why the last statement was refused, once.
    pub(super) fn take_denial(&self) -> Option<Denial> {
        self.shared.denial.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set_hooks(&self, connection: &mut rusqlite::Connection) -> rusqlite::Result<()> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, SQL_VALUE_SIZE_BYTES_MAX)?;
        connection.query_row(
            &format!("PRAGMA hard_heap_limit = {SQL_MEMORY_BYTES_MAX}"),
            (),
            |_| Ok(()),
        )?;
        let shared = Arc::clone(&self.shared);
        let interval = i32::try_from(STEPS_COUNTED).expect("the interval is small");
        connection.progress_handler(interval, Some(move || shared.count_steps()))?;
        let shared = Arc::clone(&self.shared);
        connection.authorizer(Some(move |context: AuthContext<'_>| shared.authorize(context)))
    }
}

/// Puts the mode back, also when the work inside panics.
struct Restore<'g> {
    shared: &'g Shared,
    before: u8,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.shared.mode.store(self.before, Ordering::Relaxed);
    }
}

impl Shared {
    fn mode(&self) -> GuardMode {
        match self.mode.load(Ordering::Relaxed) {
            0 => GuardMode::Internal,
            1 => GuardMode::Migration,
            _ => GuardMode::Lambda,
        }
    }

    /// Whether the running statement must stop.
    fn count_steps(&self) -> bool {
        if self.mode() == GuardMode::Internal {
            return false;
        }
        let counted = u64::from(STEPS_COUNTED);
        let steps = self.steps.fetch_add(counted, Ordering::Relaxed) + counted;
        steps > self.steps_max.load(Ordering::Relaxed)
    }

    fn authorize(&self, context: AuthContext<'_>) -> Authorization {
        let verdict = match self.mode() {
            GuardMode::Internal => return Authorization::Allow,
            GuardMode::Migration => judge_migration(&context),
            GuardMode::Lambda => judge_lambda(&context),
        };
        let Err(denial) = verdict else { return Authorization::Allow };
        // The first refusal is the cause; SQLite may ask about consequences of it.
        self.denial.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(denial);
        Authorization::Deny
    }
}

const fn code(mode: GuardMode) -> u8 {
    match mode {
        GuardMode::Internal => 0,
        GuardMode::Migration => 1,
        GuardMode::Lambda => 2,
    }
}

type Verdict = Result<(), Denial>;

fn judge_lambda(context: &AuthContext<'_>) -> Verdict {
    refuse_temporary(context)?;
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Ok(()),
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            refuse_reserved(table_name)?;
            refuse_built_in(table_name)
        }
        AuthAction::Function { function_name } => judge_function(function_name),
        AuthAction::Pragma { pragma_name, pragma_value } => judge_pragma(pragma_name, pragma_value),
        AuthAction::Savepoint { savepoint_name, .. } => refuse_reserved(savepoint_name),
        AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateVtable { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropVtable { .. }
        | AuthAction::AlterTable { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Analyze { .. }
        | AuthAction::Unknown { .. } => refuse(context),
        _ => refuse(context),
    }
}

fn judge_migration(context: &AuthContext<'_>) -> Verdict {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Ok(()),
        // SQLite itself reads and writes its own tables when objects change, and refuses users who
        // try.
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
            if is_internal(table_name) =>
        {
            Ok(())
        }
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. } => judge_names(context, [table_name, ""]),
        AuthAction::CreateIndex { index_name, table_name }
        | AuthAction::DropIndex { index_name, table_name } => {
            judge_names(context, [index_name, table_name])
        }
        AuthAction::CreateTrigger { trigger_name, table_name }
        | AuthAction::DropTrigger { trigger_name, table_name } => {
            judge_names(context, [trigger_name, table_name])
        }
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => {
            judge_names(context, [view_name, ""])
        }
        AuthAction::Reindex { index_name } => judge_names(context, [index_name, ""]),
        AuthAction::CreateVtable { table_name, module_name }
        | AuthAction::DropVtable { table_name, module_name } => {
            judge_names(context, [table_name, ""])?;
            judge_module(module_name)
        }
        AuthAction::Function { function_name } => judge_function(function_name),
        AuthAction::Pragma { pragma_name, pragma_value } => judge_pragma(pragma_name, pragma_value),
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Analyze { .. }
        | AuthAction::Unknown { .. } => refuse(context),
        _ => refuse(context),
    }
}

fn judge_names(context: &AuthContext<'_>, names: [&str; 2]) -> Verdict {
    refuse_temporary(context)?;
    names.into_iter().try_for_each(refuse_reserved)
}

fn judge_function(name: &str) -> Verdict {
    if is_one_of(name, &FUNCTIONS_DENIED) {
        return Err(denial(Some(name), format!("function `{name}` is not available here")));
    }
    Ok(())
}

fn judge_pragma(name: &str, value: Option<&str>) -> Verdict {
    let reads_object = is_one_of(name, &PRAGMAS_OF_OBJECTS);
    if reads_object {
        value.map_or(Ok(()), refuse_reserved)?;
    }
    if reads_object || is_one_of(name, &PRAGMAS_OF_THE_DATABASE) && value.is_none() {
        return Ok(());
    }
    Err(denial(
        Some(name),
        format!("`PRAGMA {name}` is not available here: it may change settings"),
    ))
}

fn judge_module(name: &str) -> Verdict {
    if is_one_of(name, &MODULES) {
        return Ok(());
    }
    Err(denial(Some(name), format!("virtual tables of `{name}` are not available here")))
}

pub(super) fn refuse_reserved(name: &str) -> Verdict {
    if is_reserved(name) {
        return Err(denial(
            Some(name),
            format!("`{name}` has the prefix of the runtime's own names"),
        ));
    }
    Ok(())
}

fn refuse_built_in(table: &str) -> Verdict {
    if is_internal(table) || is_one_of(table, &BUILT_IN_TABLES) {
        return Err(denial(Some(table), format!("table `{table}` is not available in lambdas")));
    }
    Ok(())
}

fn refuse_temporary(context: &AuthContext<'_>) -> Verdict {
    if context.database_name == Some("temp") {
        return Err(denial(None, "temporary objects are not available here"));
    }
    Ok(())
}

/// Refuses an action, in words for its kind.
fn refuse(context: &AuthContext<'_>) -> Verdict {
    let is_temporary = matches!(
        context.action,
        AuthAction::CreateTempIndex { .. }
            | AuthAction::CreateTempTable { .. }
            | AuthAction::CreateTempTrigger { .. }
            | AuthAction::CreateTempView { .. }
    );
    let message = if is_temporary {
        "temporary objects are not available here"
    } else if matches!(context.action, AuthAction::Savepoint { .. }) {
        "savepoints are available in lambdas only"
    } else if matches!(context.action, AuthAction::Transaction { .. }) {
        "transactions are begun and ended by the runtime"
    } else {
        "this statement is not available here"
    };
    Err(denial(None, message))
}

/// Whether a name is reserved for the runtime.
fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESERVED_PREFIX))
}

/// Whether a table is SQLite's own.
fn is_internal(table: &str) -> bool {
    table.get(.."sqlite_".len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sqlite_"))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn denial(name: Option<&str>, message: impl Into<String>) -> Denial {
    Denial { name: name.map(str::to_owned), message: message.into() }
}

fn unusable(reason: &str) -> SqlFailure {
    SqlFailure {
        range: 0..0,
        kind: SqlFailureKind::Execution,
        message: format!("this SQLite cannot run lambdas: {reason}"),
    }
}
