//! One instance of a derivation's class.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use rquickjs::function::{Args, This};
use rquickjs::{
    Context, Ctx, Error, Function, Module as ScriptModule, Object, Persistent, Runtime,
    Value as ScriptValue,
};
use serde_json::Value;

use super::super::{Invocation, Rows};
use super::failure::{ScriptFailure, ScriptFailureKind, definition};
use super::loader::Files;
use super::log::{Log, LogLine};
use super::values::{Fault, Values};
use super::{StateUpdate, globals, method_name};
use crate::bundle::{Module, Origin};
use crate::document::Builder;
use crate::limits::{
    LAMBDA_ROWS_MAX, LAMBDA_ROWS_SIZE_BYTES_MAX, SCRIPT_MEMORY_BYTES_MAX, SCRIPT_STACK_BYTES_MAX,
    SCRIPT_TICKS_MAX,
};

/// What an instance begins with.
#[derive(Debug)]
pub struct Opening<'o> {
    /// The module that exports the class.
    pub module: &'o Module,
    /// The transforms, in the order of their numbers.
    pub transforms: Vec<&'o str>,
    /// The state that was committed last; `{}` when none was.
    pub state: &'o Value,
    /// What random numbers are made of.
    pub seed: u64,
}

/// An instance of the class, ready to be called. It stays on the thread that made it.
pub struct Engine {
    /// The instance and its methods, given up before the engine that they live in.
    instance: Persistent<Object<'static>>,
    methods: Vec<Method>,
    module: Arc<Module>,
    log: Rc<RefCell<Log>>,
    ticks: Rc<Ticks>,
    values: RefCell<Values>,
    context: Context,
    _runtime: Runtime,
}

/// The method of a transform.
struct Method {
    name: String,
    function: Persistent<Function<'static>>,
    definition: Option<Origin>,
}

impl Engine {
    /// Loads the module and makes the instance.
    ///
    /// # Errors
    /// A module that cannot be loaded, lacks the class or one of its methods, or whose constructor fails.
    pub fn open(opening: &Opening<'_>) -> Result<Self, ScriptFailure> {
        let module = Arc::new(opening.module.clone());
        let (log, ticks) = (Rc::<RefCell<Log>>::default(), Rc::new(Ticks::default()));
        let (runtime, context) = machine(&module, &ticks).map_err(|error| unusable(&error))?;
        let opened = context.with(|script| {
            let values = globals::define(&script, &log, opening.seed)
                .and_then(|()| Values::new(&script))
                .map_err(|error| unusable(&error))?;
            let instance = instance(&script, opening)
                .map_err(|error| ScriptFailure::of(&script, error, &module, ticks.spent()))?;
            let mut methods = Vec::new();
            for transform in &opening.transforms {
                let name = method_name(transform);
                let method: Option<Function<'_>> = instance.get(name.as_str()).unwrap_or_default();
                let Some(method) = method else {
                    let message = format!("the class has no method `{name}`");
                    return Err(ScriptFailure::new(ScriptFailureKind::Unusable, message));
                };
                let definition = definition(&method, &module);
                let function = Persistent::save(&script, method);
                methods.push(Method { name, function, definition });
            }
            Ok((Persistent::save(&script, instance), methods, values))
        });
        let (instance, methods, values) = opened?;
        Ok(Self {
            instance,
            methods,
            module,
            log,
            ticks,
            values: values.into(),
            context,
            _runtime: runtime,
        })
    }

    /// Calls the method of a transform and adds what it gives to `rows`.
    ///
    /// # Errors
    /// What the method throws, or gives instead of documents. The instance is not to be used any more then.
    pub fn invoke(
        &self,
        transform: usize,
        invocation: Invocation<'_>,
        rows: &mut Rows,
    ) -> Result<(), ScriptFailure> {
        let Some(Method { name, function, definition }) = self.methods.get(transform) else {
            let message = format!("there is no transform {transform}");
            return Err(ScriptFailure::new(ScriptFailureKind::Unusable, message));
        };
        let outcome = self.call(name, rows, |script| {
            let read = Object::new(script.clone())?;
            read.set("doc", self.values.borrow_mut().enter(script, invocation)?)?;
            let method = function.clone().restore(script)?;
            method.call((This(self.instance.clone().restore(script)?), read))
        });
        outcome.map_err(|failure| failure.or_at(definition.as_ref()))
    }

    /// Where the method of a transform is defined, if that is in the files of the module.
    pub fn definition(&self, transform: usize) -> Option<&Origin> {
        self.methods.get(transform)?.definition.as_ref()
    }

    /// Calls `flush` and adds what it gives to `rows`.
    ///
    /// # Errors
    /// As [`Engine::invoke`].
    pub fn flush(&self, rows: &mut Rows) -> Result<(), ScriptFailure> {
        self.call("flush", rows, |script| self.call_hook(script, "flush", None))
    }

    /// Calls `startCommit` and gives what is to be committed, if anything.
    ///
    /// # Errors
    /// What it throws, or gives instead of a state.
    pub fn start_commit(&self) -> Result<Option<StateUpdate>, ScriptFailure> {
        let text = self.within(|script| {
            let commit = Object::new(script.clone())?;
            commit.set("runtimeCheckpoint", ScriptValue::new_null(script.clone()))?;
            let given = self.call_hook(script, "startCommit", Some(commit))?;
            stringify(script, given)
        })?;
        let given: Value = match text {
            None => Value::Null,
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| output(format!("`startCommit` gave no JSON: {error}")))?,
        };
        StateUpdate::given(&given)
    }

    /// Calls `reset`, in which a module forgets what it has seen.
    ///
    /// # Errors
    /// What it throws.
    pub fn reset(&self) -> Result<(), ScriptFailure> {
        self.within(|script| settled(self.call_hook(script, "reset", None)?).map(drop))
    }

    /// Sets how many thousand steps each call may take.
    pub fn limit_ticks(&self, ticks_max: u64) {
        self.ticks.most.set(ticks_max);
    }

    /// What was written with `console` since the last time.
    pub fn take_log(&self) -> Vec<LogLine> {
        self.log.borrow_mut().take()
    }

    /// Calls a method of the instance that may be missing.
    fn call_hook<'js>(
        &self,
        script: &Ctx<'js>,
        name: &str,
        argument: Option<Object<'js>>,
    ) -> rquickjs::Result<ScriptValue<'js>> {
        let instance = self.instance.clone().restore(script)?;
        let hook: Option<Function<'js>> = instance.get(name)?;
        let Some(hook) = hook else { return Ok(ScriptValue::new_undefined(script.clone())) };
        let mut arguments = Args::new(script.clone(), usize::from(argument.is_some()));
        arguments.this(instance)?;
        if let Some(argument) = argument {
            arguments.push_arg(argument)?;
        }
        hook.call_arg(arguments)
    }

    /// Runs a call that gives documents, and adds them.
    fn call(
        &self,
        name: &str,
        rows: &mut Rows,
        call: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<ScriptValue<'js>>,
    ) -> Result<(), ScriptFailure> {
        let begin = rows.documents.len();
        let text = self.within(|script| {
            let given = settled(call(script)?)?;
            if !given.is_array() {
                return Ok(Err(ScriptFailure::no_documents(name, given.type_name())));
            }
            match self.values.borrow_mut().leave(script, given.clone(), rows) {
                Ok(()) => Ok(Ok(None)),
                Err(Fault::Script(error)) => Err(error),
                Err(Fault::Limit(limit)) => {
                    Ok(Err(output(format!("`{name}` gave more than {limit} at once"))))
                }
                Err(Fault::Unsure) => stringify(script, given).map(Ok),
            }
        })?;
        match text? {
            None => Ok(()),
            Some(text) => {
                rows.documents.truncate(begin);
                add(name, &text, rows)
            }
        }
    }

    /// Runs something in the engine with a fresh allowance of steps, and whatever it left to be done later.
    fn within<T>(
        &self,
        run: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<T>,
    ) -> Result<T, ScriptFailure> {
        self.ticks.now.set(0);
        self.context.with(|script| {
            let outcome = run(&script).and_then(|value| {
                while script.execute_pending_job() {
                    if self.ticks.spent().is_some() {
                        return Err(Error::Exception);
                    }
                }
                Ok(value)
            });
            outcome.map_err(|error| {
                ScriptFailure::of(&script, error, &self.module, self.ticks.spent())
            })
        })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").field("entry", &self.module.entry).finish_non_exhaustive()
    }
}

/// The steps of a call, in thousands.
#[derive(Debug)]
struct Ticks {
    now: Cell<u64>,
    most: Cell<u64>,
}

impl Default for Ticks {
    fn default() -> Self {
        Self { now: Cell::new(0), most: Cell::new(SCRIPT_TICKS_MAX) }
    }
}

impl Ticks {
    /// The limit, when it is exceeded.
    fn spent(&self) -> Option<u64> {
        (self.now.get() > self.most.get()).then(|| self.most.get())
    }
}

/// An engine with its limits.
fn machine(module: &Arc<Module>, ticks: &Rc<Ticks>) -> rquickjs::Result<(Runtime, Context)> {
    /// Thousands of steps between two looks at their number.
    const TICKS_AT_ONCE: u64 = 10;
    let runtime = Runtime::new()?;
    runtime.set_memory_limit(SCRIPT_MEMORY_BYTES_MAX);
    runtime.set_max_stack_size(SCRIPT_STACK_BYTES_MAX);
    runtime.set_loader(Files(Arc::clone(module)), Files(Arc::clone(module)));
    let ticks = Rc::clone(ticks);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        ticks.now.set(ticks.now.get() + TICKS_AT_ONCE);
        ticks.spent().is_some()
    })));
    let context = Context::full(&runtime)?;
    Ok((runtime, context))
}

fn instance<'js>(script: &Ctx<'js>, opening: &Opening<'_>) -> rquickjs::Result<Object<'js>> {
    let entry = opening.module.entry.as_str();
    let text = opening.module.files.get(entry).map_or("", |file| file.script.text.as_str());
    let (module, loaded) = ScriptModule::declare(script.clone(), entry, text)?.eval()?;
    loaded.finish::<()>()?;
    let class: ScriptValue<'js> = module.get("Derivation")?;
    let open = Object::new(script.clone())?;
    open.set("state", script.json_parse(opening.state.to_string())?)?;
    let constructor =
        class.into_constructor().ok_or_else(|| Error::new_from_js("function", "class"))?;
    constructor.construct((open,))
}

/// Adds the documents of the text of a list.
fn add(name: &str, text: &str, rows: &mut Rows) -> Result<(), ScriptFailure> {
    if text.len() > LAMBDA_ROWS_SIZE_BYTES_MAX {
        let limit = LAMBDA_ROWS_SIZE_BYTES_MAX >> 20;
        return Err(output(format!("`{name}` gave more than {limit} MiB at once")));
    }
    let mut parsed = Builder::default();
    let Rows { documents, parser } = rows;
    parser
        .parse(text.as_bytes(), &mut parsed)
        .map_err(|failure| output(format!("`{name}` gave what is no JSON: {}", failure.message)))?;
    let Some(items) = parsed.root().as_array() else { return Ok(()) };
    if items.len() > LAMBDA_ROWS_MAX {
        let message = format!("`{name}` gave more than {LAMBDA_ROWS_MAX} documents at once");
        return Err(output(message));
    }
    items.for_each(|item| documents.push(item));
    Ok(())
}

/// The value that a promise is settled with; any other value itself.
fn settled(value: ScriptValue<'_>) -> rquickjs::Result<ScriptValue<'_>> {
    match value.as_promise() {
        Some(promise) => promise.finish(),
        None => Ok(value),
    }
}

fn stringify<'js>(script: &Ctx<'js>, value: ScriptValue<'js>) -> rquickjs::Result<Option<String>> {
    script.json_stringify(value)?.map(|text| text.to_string()).transpose()
}

fn output(message: impl Into<String>) -> ScriptFailure {
    ScriptFailure::new(ScriptFailureKind::Output, message)
}

fn unusable(error: &Error) -> ScriptFailure {
    ScriptFailure::new(ScriptFailureKind::Unusable, format!("the engine cannot begin: {error}"))
}

/// A type of the language in a sentence.
pub(super) fn word(type_name: &str) -> String {
    match type_name {
        "undefined" | "null" => format!("`{type_name}`"),
        "array" | "object" | "int" => format!("an {type_name}"),
        other => format!("a {other}"),
    }
}
