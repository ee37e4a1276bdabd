//! Blobs: compressed pieces of a journal, each a gzip member, a zstd frame or plain text of whole documents.
//!
//! The concatenation of the blobs of one codec is a file of that codec, so a fragment is made of blobs without touching
//! them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::{Compress, Compression, FlushCompress, Status};
use tidegate_stdlib::bundle::Codec;

use crate::limits::BLOB_BYTES;

/// Speed before size, for both codecs.
const LEVEL: i32 = 1;
/// Memory reserved beforehand for a decoded blob; the greatest usual size of one.
const DECODED_BYTES: u64 = BLOB_BYTES as u64;

/// Compresses blobs; keeps its contexts from one to the next.
#[derive(Default)]
pub(super) struct BlobEncoder {
    gzip: Option<Compress>,
    zstandard: Option<zstd::bulk::Compressor<'static>>,
}

impl fmt::Debug for BlobEncoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BlobEncoder").finish_non_exhaustive()
    }
}

impl BlobEncoder {
    /// Compresses a blob.
    pub(super) fn encode<'r>(&mut self, codec: Codec, raw: &'r [u8]) -> io::Result<Cow<'r, [u8]>> {
        match codec {
            Codec::None => Ok(Cow::Borrowed(raw)),
            Codec::Gzip => {
                let gzip = self
                    .gzip
                    .get_or_insert_with(|| Compress::new_gzip(Compression::new(LEVEL as u32), 15));
                encode_gzip(gzip, raw).map(Cow::Owned)
            }
            Codec::Zstandard => {
                let compressor = match &mut self.zstandard {
                    Some(compressor) => compressor,
                    none => {
                        let compressor = none.insert(zstd::bulk::Compressor::new(LEVEL)?);
                        compressor.include_checksum(true)?;
                        compressor
                    }
                };
                compressor.compress(raw).map(Cow::Owned)
            }
        }
    }
}

/// The text of a codec in the tables.
pub(super) const fn codec_text(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "none",
        Codec::Gzip => "gzip",
        Codec::Zstandard => "zstandard",
    }
}

/// The codec of a text in the tables.
pub(super) fn parse_codec(text: &str) -> Option<Codec> {
    [Codec::None, Codec::Gzip, Codec::Zstandard]
        .into_iter()
        .find(|codec| codec_text(*codec) == text)
}

/// Decodes the next blob of `input` to the end of `out`, and leaves `input` behind it; gives its raw length. Plain
/// text has no blobs: a piece of about the usual size is taken, to the end of its last line. More than `raw_max`
/// bytes are an error.
pub(super) fn decode_next(
    codec: Codec,
    input: &mut dyn BufRead,
    raw_max: u64,
    out: &mut Vec<u8>,
) -> io::Result<u64> {
    let before = out.len();
    let mut limit = raw_max.saturating_add(1);
    match codec {
        Codec::None => {
            limit = limit.min(DECODED_BYTES);
            out.reserve(limit as usize);
            (&mut *input).take(limit).read_to_end(out)?;
            if out.len() > before && out.last() != Some(&b'\n') {
                input.read_until(b'\n', out)?;
            }
        }
        Codec::Gzip => {
            out.reserve(DECODED_BYTES.min(limit) as usize);
            flate2::bufread::GzDecoder::new(input).take(limit).read_to_end(out)?;
        }
        Codec::Zstandard => {
            out.reserve(DECODED_BYTES.min(limit) as usize);
            let decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.single_frame().take(limit).read_to_end(out)?;
        }
    }
    let length = (out.len() - before) as u64;
    if length > raw_max {
        let message = "it decompresses to more than its name says";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(length)
}

fn encode_gzip(gzip: &mut Compress, raw: &[u8]) -> io::Result<Vec<u8>> {
    gzip.reset();
    let mut out = Vec::with_capacity(raw.len() / 4 + 128);
    loop {
        let consumed = usize::try_from(gzip.total_in()).expect("bytes of a slice");
        let rest = raw.get(consumed..).unwrap_or_default();
        match gzip.compress_vec(rest, &mut out, FlushCompress::Finish)? {
            Status::StreamEnd => return Ok(out),
            Status::Ok | Status::BufError => out.reserve(raw.len() / 4 + 128),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    const CODECS: [Codec; 3] = [Codec::None, Codec::Gzip, Codec::Zstandard];

    fn lines(count: usize) -> Vec<u8> {
        (0..count).flat_map(|number| format!("{{\"id\":{number}}}\n").into_bytes()).collect()
    }

    #[test]
    fn codecs_have_texts() {
        for codec in CODECS {
            assert_eq!(parse_codec(codec_text(codec)), Some(codec));
        }
        assert_eq!(parse_codec("SNAPPY"), None);
    }

    #[test]
    fn blobs_in_a_row_are_decoded_one_by_one() {
        for codec in [Codec::Gzip, Codec::Zstandard] {
            let mut encoder = BlobEncoder::default();
            let (first, second) = (lines(1_000), lines(3));
            let mut file = encoder.encode(codec, &first).unwrap().into_owned();
            file.extend_from_slice(&encoder.encode(codec, &second).unwrap());
            let mut input = &file[..];
            let mut out = Vec::new();
            let length = decode_next(codec, &mut input, first.len() as u64, &mut out).unwrap();
            assert_eq!((length, &out), (first.len() as u64, &first));
            out.clear();
            decode_next(codec, &mut input, second.len() as u64, &mut out).unwrap();
            assert_eq!(out, second);
            assert!(input.is_empty());
        }
    }

    #[test]
    fn plain_text_is_taken_in_whole_lines() {
        let text = lines(200_000);
        let mut input = &text[..];
        let mut out = Vec::new();
        while !input.is_empty() {
            decode_next(Codec::None, &mut input, u64::MAX, &mut out).unwrap();
            assert_eq!(out.last(), Some(&b'\n'));
        }
        assert_eq!(out, text);
    }

    #[test]
    fn a_blob_with_more_than_it_should_hold_is_an_error() {
        for codec in [Codec::Gzip, Codec::Zstandard] {
            let lines = lines(100);
            let blob = BlobEncoder::default().encode(codec, &lines).unwrap();
            let error = decode_next(codec, &mut &blob[..], 10, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    proptest! {
        #[test]
        fn raw_bytes_come_back(raw: Vec<u8>, repeat in 1..200_usize) {
            let raw = raw.repeat(repeat);
            let mut encoder = BlobEncoder::default();
            for codec in [Codec::Gzip, Codec::Zstandard] {
                let blob = encoder.encode(codec, &raw).unwrap();
                let mut out = Vec::new();
                decode_next(codec, &mut &blob[..], raw.len() as u64, &mut out).unwrap();
                prop_assert_eq!(&out, &raw);
            }
        }
    }
}
