//! UUIDs of documents: producer, clock and flags in the layout of version 1.

/// A producer of documents: six random bytes with the multicast bit set; a fresh one per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Producer(pub [u8; 6]);

/// A time in ticks of 100 ns since 1582-10-15, shifted left by 4 bits, with a counter in those bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clock(pub u64);

/// Flags of a document that is committed by itself.
pub const OUTSIDE_TXN: u16 = 0;

impl Clock {
    /// The clock of a Unix time.
    pub fn from_unix(nanoseconds: i128) -> Self {
        let _ = nanoseconds;
        todo!("H6")
    }

    /// The Unix time, in nanoseconds, with the counter as 4 ns each.
    pub fn to_unix(self) -> i128 {
        todo!("H6")
    }

    /// The clock of a later time.
    #[must_use]
    pub fn plus_ms(self, milliseconds: u64) -> Self {
        let _ = milliseconds;
        todo!("H6")
    }
}

/// The text of a UUID.
pub fn format(producer: Producer, clock: Clock, flags: u16) -> String {
    let _ = (producer, clock, flags);
    todo!("H6")
}

/// Reads the text of a UUID back; `None` when it is not of this layout.
pub fn parse(text: &str) -> Option<(Producer, Clock, u16)> {
    let _ = text;
    todo!("H6")
}
