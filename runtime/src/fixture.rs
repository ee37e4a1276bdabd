//! Fixtures: documents in place of captures, with a simulated clock.
//!
//! A fixture is NDJSON: `["collection", {document}]`, with a time of publication as third item when the run has a
//! simulated clock, and `{"commit": true}` where a transaction ends. Lines of different times are never one transaction.

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tidegate_stdlib::bundle::{Bundle, Collection, Failure, FailureKind, Origin, Test, TestStep};
use tidegate_stdlib::document::Document;
use tidegate_stdlib::redact::default_salt;
use tidegate_stdlib::value::parse;

use crate::capture::Publisher;
use crate::combine::Budget;
use crate::derive::collection;
use crate::engine::hub::{Hub, Pause, Rest};
use crate::engine::stamps::Stamps;
use crate::limits::BATCH_DOCUMENTS;
use crate::shuffle::parse_time;
use crate::store::{CommittedAppend, Shard};
use crate::task::{Counted, Input, Task, Then};
use crate::uuid::Clock;
use crate::verify::ingest_step;

const STATE_KEY: &str = "fixture";

/// A parsed fixture.
#[derive(Debug)]
pub(crate) struct Fixture {
    digest: String,
    /// Names of its collections, in order of their first line.
    pub(crate) collections: Vec<String>,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    Document {
        /// Index of its collection.
        collection: usize,
        document: Document,
        /// When it is published, if the clock is simulated.
        time: Option<Clock>,
    },
    Commit,
}

impl Fixture {
    /// Reads the text of a fixture.
    ///
    /// # Errors
    /// `source-unreadable` with the line.
    pub(crate) fn parse(text: &str, bundle: &Bundle) -> Result<Self, Failure> {
        let digest = Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut fixture = Self { digest, collections: Vec::new(), lines: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            if !line.trim().is_empty() {
                fixture.add(line, bundle).map_err(|what| unreadable(index + 1, &what))?;
            }
        }
        Ok(fixture)
    }

    /// Where a simulated clock starts; none when no line has a time.
    pub(crate) fn start(&self) -> Option<Clock> {
        self.lines.iter().find_map(Line::time)
    }

    /// The transactions as a test that ingests them: documents of one collection are one step.
    pub(crate) fn test(self) -> Test {
        let mut steps: Vec<TestStep> = Vec::new();
        let mut begin = 0;
        for line in self.lines {
            let Line::Document { collection, document, .. } = line else {
                begin = steps.len();
                continue;
            };
            let Some(name) = self.collections.get(collection) else { continue };
            let document = document.root().to_value();
            let open = steps.iter_mut().skip(begin).find(|step| step.collection == *name);
            match open {
                Some(step) => step.documents.push(document),
                None => steps.push(ingest_step(name, vec![document])),
            }
        }
        let (name, origin) = (String::new(), Origin::default());
        Test { name, description: String::new(), steps, origin }
    }

    fn add(&mut self, line: &str, bundle: &Bundle) -> Result<(), String> {
        let value = parse(line.as_bytes()).map_err(|failure| failure.message)?;
        if value == json!({ "commit": true }) {
            self.lines.push(Line::Commit);
            return Ok(());
        }
        let (name, document, time) = match value.as_array().map(Vec::as_slice) {
            Some([Value::String(name), document]) => (name, document, None),
            Some([Value::String(name), document, Value::String(time)]) => {
                (name, document, Some(time))
            }
            _ => return Err("it is neither a document nor a commit".to_owned()),
        };
        if !bundle.collections.contains_key(name) {
            return Err(format!("collection `{name}` is not defined"));
        }
        let time = match time {
            Some(time) => Some(parse_time(time).map_err(|_| format!("`{time}` is no time"))?),
            None => self.lines.iter().rev().find_map(Line::time),
        };
        let known = self.collections.iter().position(|known| known == name);
        let collection = known.unwrap_or_else(|| {
            self.collections.push(name.clone());
            self.collections.len() - 1
        });
        let document = Document::from_value(document);
        self.lines.push(Line::Document { collection, document, time });
        Ok(())
    }
}

impl Line {
    fn time(&self) -> Option<Clock> {
        match self {
            Self::Document { time, .. } => *time,
            Self::Commit => None,
        }
    }
}

/// The task that publishes a fixture.
pub(crate) struct FixtureTask<'r> {
    hub: &'r Hub,
    bundle: &'r Bundle,
    fixture: &'r Fixture,
    /// The greatest stamp of the data directory when the run began.
    greatest: Clock,
    publisher: Publisher<'r>,
    /// Lines published so far.
    done: usize,
}

impl<'r> FixtureTask<'r> {
    /// A task for a fixture, in a data directory whose greatest stamp is given.
    pub(crate) fn new(
        hub: &'r Hub,
        bundle: &'r Bundle,
        fixture: &'r Fixture,
        greatest: Clock,
    ) -> Self {
        Self { hub, bundle, fixture, greatest, publisher: Publisher::default(), done: 0 }
    }

    /// The documents from `done` on that belong to one transaction, and whether it closes after them.
    fn next(&mut self) -> (Vec<(usize, &'r Document)>, Then) {
        let fixture = self.fixture;
        let mut documents = Vec::new();
        let mut moment = None;
        while documents.len() < BATCH_DOCUMENTS {
            match fixture.lines.get(self.done) {
                None => return (documents, Then::Close),
                Some(Line::Commit) => {
                    self.done += 1;
                    return (documents, Then::Close);
                }
                Some(Line::Document { collection, document, time }) => {
                    if moment.is_some_and(|moment| moment != *time) {
                        return (documents, Then::Close);
                    }
                    moment = Some(*time);
                    documents.push((*collection, document));
                    self.done += 1;
                }
            }
        }
        (documents, Then::More)
    }
}

impl<'r> Task for FixtureTask<'r> {
    type Batch = Vec<(usize, &'r Document)>;

    fn open(&mut self, shard: &mut Shard, budget: &Budget) -> Result<(), Failure> {
        for name in &self.fixture.collections {
            let target: &Collection = collection(self.bundle, name)?;
            self.publisher.add_target(target, budget, default_salt(&target.name))?;
        }
        let state = shard.state(STATE_KEY)?;
        let field = |name: &str| state.as_ref().and_then(|state| state.get(name));
        if state.is_none() && self.greatest > Clock::default() {
            return Err(other_data("the data directory holds documents of something else"));
        }
        if field("digest").is_some_and(|digest| digest != self.fixture.digest.as_str()) {
            return Err(other_data("the data directory was made by another fixture"));
        }
        let done = field("lines").and_then(Value::as_u64).unwrap_or_default();
        self.done = usize::try_from(done).unwrap_or(usize::MAX);
        Ok(())
    }

    fn read(&mut self, _shard: &Shard) -> Result<Input<Self::Batch>, Failure> {
        let Some(line) = self.fixture.lines.get(self.done) else { return Ok(Input::Drained) };
        if let Some(time) = line.time()
            && self.hub.clock().now() < time
        {
            return Ok(Input::Nothing(Pause { rest: Rest::Due, wake: Some(time) }));
        }
        let (batch, then) = self.next();
        let documents = batch.len() as u64;
        Ok(Input::Batch(Counted { batch, documents, bytes: 0, then }))
    }

    fn apply(&mut self, _shard: &Shard, batch: Self::Batch) -> Result<(), Failure> {
        batch
            .into_iter()
            .try_for_each(|(target, document)| self.publisher.add(target, document.root()))
    }

    fn held_bytes(&self) -> usize {
        self.publisher.size_bytes()
    }

    fn flush(&mut self, shard: &mut Shard, stamps: &mut Stamps<'_>) -> Result<u64, Failure> {
        self.publisher.flush(shard, stamps)
    }

    fn commit(&mut self, shard: &mut Shard) -> Result<Vec<CommittedAppend>, Failure> {
        let state = json!({ "digest": self.fixture.digest, "lines": self.done });
        shard.set_state(STATE_KEY, &state)?;
        shard.commit()
    }
}

fn unreadable(line: usize, what: &str) -> Failure {
    Failure::new(FailureKind::SourceUnreadable, format!("line {line} of the fixture: {what}")).help(
        "write `[\"collection\", {document}]`, with a time behind it, or `{\"commit\": true}`",
    )
}

fn other_data(message: &str) -> Failure {
    Failure::new(FailureKind::CheckpointOfOtherData, message)
        .help("give a fixture a data directory of its own with `--data`, or none")
}
