//! The one transaction loop and its states.
