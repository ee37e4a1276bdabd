//! How tasks come to their endpoints, so that a run can be given others.

use tidegate_stdlib::bundle::{Capture, Failure, Materialization};

use crate::connector::{Destination, Opening, Source, StateLookup, open_destination, open_source};

/// Opens the endpoints of tasks.
pub(super) trait Endpoints: Sync {
    /// Opens the source of a capture at its recorded states.
    ///
    /// # Errors
    /// As [`open_source`].
    fn source(
        &self,
        capture: &Capture,
        opening: Opening<'_>,
        state: &StateLookup<'_>,
    ) -> Result<Box<dyn Source>, Failure>;

    /// Opens the destination of a materialization.
    ///
    /// # Errors
    /// As [`open_destination`].
    fn destination(
        &self,
        materialization: &Materialization,
        opening: Opening<'_>,
    ) -> Result<Box<dyn Destination>, Failure>;
}

/// The connectors that are built in.
pub(super) struct BuiltIn;

impl Endpoints for BuiltIn {
    fn source(
        &self,
        capture: &Capture,
        opening: Opening<'_>,
        state: &StateLookup<'_>,
    ) -> Result<Box<dyn Source>, Failure> {
        open_source(capture, opening, state)
    }

    fn destination(
        &self,
        materialization: &Materialization,
        opening: Opening<'_>,
    ) -> Result<Box<dyn Destination>, Failure> {
        open_destination(materialization, opening)
    }
}
