//! UUIDs of documents: producer, clock and flags in the layout of version 1.

/// Ticks of 100 ns between 1582-10-15, where UUIDs begin, and 1970-01-01.
const UNIX_EPOCH_TICKS: i128 = 122_192_928_000_000_000;
/// Ticks of 100 ns in a millisecond, shifted as a clock has them.
const CLOCK_UNITS_IN_MS: u64 = 10_000 << 4;
/// Ticks that fit into a UUID.
const TICKS_MAX: i128 = (1 << 60) - 1;
/// Nanoseconds that one step of the counter counts as.
const COUNTER_NANOSECONDS: i128 = 4;

/// A producer of documents: six random bytes with the multicast bit set; a fresh one per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Producer(pub [u8; 6]);

/// A time in ticks of 100 ns since 1582-10-15, shifted left by 4 bits, with a counter in those bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clock(pub u64);

/// Flags of a document that is committed by itself.
pub const OUTSIDE_TXN: u16 = 0;

/// Flags that fit into a UUID.
const FLAGS_MASK: u16 = 0x3ff;

impl Producer {
    /// The producer of given random bytes.
    pub const fn from_random(bytes: [u8; 6]) -> Self {
        let [first, rest @ ..] = bytes;
        let [b, c, d, e, f] = rest;
        Self([first | 1, b, c, d, e, f])
    }
}

impl Clock {
    /// The clock of a Unix time; times that no UUID can hold give the nearest one that it can.
    pub fn from_unix(nanoseconds: i128) -> Self {
        let ticks = nanoseconds.div_euclid(100) + UNIX_EPOCH_TICKS;
        if ticks < 0 {
            return Self(0);
        }
        if ticks > TICKS_MAX {
            return Self(u64::MAX);
        }
        let counter = (nanoseconds.rem_euclid(100) / COUNTER_NANOSECONDS).min(15);
        let clock = ticks << 4 | counter;
        Self(u64::try_from(clock).expect("60 bits of ticks and 4 of counter"))
    }

    /// The Unix time, in nanoseconds, with the counter as 4 ns each.
    pub fn to_unix(self) -> i128 {
        let ticks = i128::from(self.0 >> 4) - UNIX_EPOCH_TICKS;
        ticks * 100 + i128::from(self.0 & 0xf) * COUNTER_NANOSECONDS
    }

    /// The clock of a later time.
    #[must_use]
    pub fn plus_ms(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds.saturating_mul(CLOCK_UNITS_IN_MS)))
    }
}

/// The UUID of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid {
    /// Who published it.
    pub producer: Producer,
    /// When.
    pub clock: Clock,
    /// How, in 10 bits.
    pub flags: u16,
}

/// The text of a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UuidText([u8; 36]);

impl UuidText {
    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits and hyphens are ASCII")
    }
}

impl Uuid {
    /// Its text, in lower case.
    pub fn text(self) -> UuidText {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let places = text.iter_mut().enumerate();
        let mut places = places.filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
        for byte in self.to_bytes() {
            for nibble in [byte >> 4, byte & 0xf] {
                let digit = DIGITS.get(usize::from(nibble)).expect("a nibble is below 16");
                if let Some((_, place)) = places.next() {
                    *place = *digit;
                }
            }
        }
        UuidText(text)
    }

    fn to_bytes(self) -> [u8; 16] {
        let Self { producer, clock: Clock(clock), flags } = self;
        let high = (clock >> 52) as u16 | 0x1000;
        let sequence = 0x8000 | ((clock & 0xf) as u16) << 10 | flags & FLAGS_MASK;
        let [a, b, c, d] = ((clock >> 4) as u32).to_be_bytes();
        let [e, f] = ((clock >> 36) as u16).to_be_bytes();
        let [g, h] = high.to_be_bytes();
        let [i, j] = sequence.to_be_bytes();
        let [k, l, m, n, o, p] = producer.0;
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.text().as_str())
    }
}

/// Reads the text of a UUID back; `None` when it is not of this layout.
pub fn parse(text: &str) -> Option<Uuid> {
    let bytes = read_bytes(text)?;
    let [a, b, c, d, e, f, g, h, i, j, producer @ ..] = bytes;
    let low = u64::from(u32::from_be_bytes([a, b, c, d]));
    let middle = u64::from(u16::from_be_bytes([e, f]));
    let high = u16::from_be_bytes([g, h]);
    let sequence = u16::from_be_bytes([i, j]);
    if high >> 12 != 1 || sequence >> 14 != 0b10 {
        return None;
    }
    let counter = u64::from(sequence >> 10 & 0xf);
    let clock = u64::from(high & 0xfff) << 52 | middle << 36 | low << 4 | counter;
    Some(Uuid { producer: Producer(producer), clock: Clock(clock), flags: sequence & FLAGS_MASK })
}

fn read_bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut characters = text.bytes();
    for (index, byte) in bytes.iter_mut().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) && characters.next()? != b'-' {
            return None;
        }
        *byte = digit(characters.next()?)? << 4 | digit(characters.next()?)?;
    }
    characters.next().is_none().then_some(bytes)
}

#[inline]
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_known_uuid_has_its_parts() {
        let text = "9f2952f3-c6a3-11ea-8802-080607050309";
        let uuid = parse(text).unwrap();
        assert_eq!(uuid.producer, Producer([8, 6, 7, 5, 3, 9]));
        assert_eq!(uuid.clock, Clock(0x1eac_6a39_f295_2f32));
        assert_eq!(uuid.flags, 2);
        assert_eq!(uuid.to_string(), text);
    }

    #[test]
    fn the_unix_epoch_is_where_it_should_be() {
        assert_eq!(Clock::from_unix(0), Clock(0x1b21_dd21_3814_0000));
        assert_eq!(Clock(0x1b21_dd21_3814_0000).to_unix(), 0);
        assert_eq!(Clock::from_unix(1_000_000), Clock::from_unix(0).plus_ms(1));
    }

    #[test]
    fn times_beyond_a_uuid_give_the_nearest_one() {
        assert_eq!(Clock::from_unix(i128::from(i64::MIN) * 100), Clock(0));
        assert_eq!(Clock::from_unix(i128::from(i64::MAX) * 100), Clock(u64::MAX));
        assert_eq!(Clock(u64::MAX - 1).plus_ms(u64::MAX), Clock(u64::MAX));
    }

    #[test]
    fn other_texts_are_no_uuids_of_ours() {
        for text in [
            "",
            "9f2952f3-c6a3-11ea-8802-08060705030",
            "9f2952f3-c6a3-11ea-8802-0806070503099",
            "9f2952f3-c6a3-41ea-8802-080607050309",
            "9f2952f3-c6a3-11ea-c802-080607050309",
            "9f2952f3+c6a3-11ea-8802-080607050309",
            "9f2952f3-c6a3-11ea-8802-08060705030é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_read_back(producer: [u8; 6], clock: u64, flags in 0..=FLAGS_MASK) {
            let uuid = Uuid { producer: Producer(producer), clock: Clock(clock), flags };
            prop_assert_eq!(parse(uuid.text().as_str()), Some(uuid));
        }

        #[test]
        fn clocks_read_back_from_unix_times(clock: u64) {
            prop_assert_eq!(Clock::from_unix(Clock(clock).to_unix()), Clock(clock));
        }
    }
}
