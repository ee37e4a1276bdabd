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

/// Where the digits of each byte stand in the text.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// The digits of each byte.
const DIGITS: [[u8; 2]; 256] = digits();
/// What each character is as a digit; [`NO_DIGIT`] when it is none.
const VALUES: [u8; 256] = values();
const NO_DIGIT: u8 = 0xff;

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
        let mut text = [b'-'; 36];
        for (byte, at) in self.to_bytes().into_iter().zip(PLACES) {
            let digits = DIGITS.get(usize::from(byte));
            let place = text.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
            if let (Some(place), Some(digits)) = (place, digits) {
                *place = *digits;
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
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if [8, 13, 18, 23].iter().any(|at| text.get(*at) != Some(&b'-')) {
        return None;
    }
    let value = |character: u8| VALUES.get(usize::from(character)).copied().unwrap_or(NO_DIGIT);
    let (mut bytes, mut all) = ([0; 16], 0);
    for (byte, at) in bytes.iter_mut().zip(PLACES) {
        let [high, low] = *text.get(at..)?.first_chunk()?;
        let (high, low) = (value(high), value(low));
        all |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    // No digit has any of the upper bits.
    (all < 16).then_some(bytes)
}

#[expect(clippy::indexing_slicing, reason = "a constant is computed by the compiler")]
const fn digits() -> [[u8; 2]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0xf]];
        byte += 1;
    }
    all
}

#[expect(clippy::indexing_slicing, reason = "a constant is computed by the compiler")]
const fn values() -> [u8; 256] {
    let mut all = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = DIGITS[value][1];
        all[digit as usize] = value as u8;
        all[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    all
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
