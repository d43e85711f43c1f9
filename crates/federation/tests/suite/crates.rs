//! The stream of crates.

use bytes::Bytes;
use dataset_model::Digest;
use federation::{
    FederationError, Limits,
    crate_stream::{Decoder, encode},
};
use proptest::prelude::*;

type Crates = Vec<(Digest, Option<Bytes>)>;

fn stream(crates: &Crates) -> Vec<u8> {
    encode::<std::io::Error>(crates.iter().cloned().map(Ok)).flat_map(|piece| piece.unwrap()).collect()
}

fn digests(crates: &Crates) -> Vec<Digest> {
    crates.iter().map(|(digest, _)| *digest).collect()
}

/// Decodes a stream that arrives in pieces of this size.
fn decode(asked: &[Digest], stream: &[u8], piece: usize, limits: &Limits) -> Result<Crates, FederationError> {
    let mut decoder = Decoder::new(asked, limits)?;
    stream.chunks(piece.max(1)).try_for_each(|piece| decoder.push(piece))?;
    decoder.finish()
}

/// A stream of frames as they stand.
fn raw(frames: &[u8]) -> Vec<u8> {
    zstd::encode_all(frames, 3).unwrap()
}

fn crates() -> impl Strategy<Value = Crates> {
    let bytes = prop::collection::vec(any::<u8>(), 0..3000).prop_map(Bytes::from);
    prop::collection::btree_map(bytes, any::<bool>(), 0..20).prop_map(|crates| {
        crates.into_iter().map(|(bytes, there)| (Digest::of(&bytes), there.then_some(bytes))).collect()
    })
}

proptest! {
    #[test]
    fn crates_arrive_as_they_were_sent_however_the_stream_is_cut(crates in crates(), piece in 1..5000_usize) {
        let received = decode(&digests(&crates), &stream(&crates), piece, &Limits::default()).unwrap();
        prop_assert_eq!(received, crates);
    }

    #[test]
    fn a_changed_byte_never_gives_other_crates(crates in crates(), at: prop::sample::Index, bit in 0..8_u8) {
        let mut bytes = stream(&crates);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        match decode(&digests(&crates), &bytes, 1000, &Limits::default()) {
            // What may be lost is knowing that the peer has a crate: '-' is not signed.
            Ok(received) => for ((digest, bytes), asked) in received.into_iter().zip(digests(&crates)) {
                prop_assert_eq!(digest, asked);
                prop_assert!(bytes.is_none_or(|bytes| Digest::of(bytes) == digest));
            },
            Err(error) => prop_assert!(error.is_peer_fault(), "{}", error),
        }
    }

    #[test]
    fn a_stream_that_breaks_off_is_never_taken_for_complete(crates in crates(), end: prop::sample::Index) {
        let bytes = stream(&crates);
        let cut = &bytes[..end.index(bytes.len())];
        match decode(&digests(&crates), cut, 100, &Limits::default()) {
            Ok(received) => prop_assert_eq!(received, crates, "only the end mark of the compression was lost"),
            Err(error) => prop_assert!(error.is_peer_fault(), "{}", error),
        }
    }

    #[test]
    fn frames_of_any_bytes_are_refused_or_right(frames in "[0-9a-f]{0,3}[ \n-]{0,3}[0-9]{0,22}[\n -]{0,3}.{0,9}") {
        let asked = Digest::of("x");
        let answer = decode(&[asked], &raw(frames.as_bytes()), 7, &Limits::default());
        prop_assert!(matches!(answer, Err(FederationError::Malformed { .. })), "{:?}", answer);
    }
}

#[test]
fn frames_that_break_the_rules_are_malformed() {
    let (one, two) = (Digest::of("one"), Digest::of("two"));
    for (name, frames) in [
        ("left out", format!("{one} 3\none\n")),
        ("not asked for", format!("{one} 3\none\n{two} 3\ntwo\n{} -\n", Digest::of("three"))),
        ("twice", format!("{one} 3\none\n{two} -\n{two} -\n")),
        ("longer than said", format!("{one} 3\nones\n{two} -\n")),
        ("no last newline", format!("{one} 3\none\n{two} 3\ntwo")),
        ("leading zero", format!("{one} 03\none\n{two} -\n")),
        ("length without end", format!("{one} 99999999999999999999999\none\n")),
        ("negative", format!("{one} -3\none\n{two} -\n")),
        ("no end of header", "0".repeat(1000)),
    ] {
        let answer = decode(&[one, two], &raw(frames.as_bytes()), 100, &Limits::default());
        assert!(matches!(answer, Err(FederationError::Malformed { .. })), "{name}: {answer:?}");
    }
    let lie = decode(&[one], &raw(format!("{one} 3\nlie\n").as_bytes()), 100, &Limits::default());
    assert!(matches!(lie, Err(FederationError::WrongDigest { digest }) if digest == one), "{lie:?}");
}

#[test]
fn a_small_stream_that_unpacks_to_much_is_refused_before_it_is_kept() {
    let limits = Limits { crate_bytes: 1000, answer_bytes: 1500, ..Limits::default() };
    let zeros = |count: usize| Bytes::from(vec![0; count]);
    let bomb: Crates = vec![(Digest::of(zeros(50_000_000)), Some(zeros(50_000_000)))];
    let bytes = stream(&bomb);
    assert!(bytes.len() < 10_000, "small on the wire");
    let refused = decode(&digests(&bomb), &bytes, 100, &limits);
    assert!(matches!(refused, Err(FederationError::TooLarge { limit: 1000, .. })), "{refused:?}");
    let many: Crates = [999, 998].map(|count| (Digest::of(zeros(count)), Some(zeros(count)))).into();
    let refused = decode(&digests(&many), &stream(&many), 100, &limits);
    assert!(matches!(refused, Err(FederationError::TooLarge { limit: 1500, .. })), "{refused:?}");
}

#[test]
fn the_encoder_holds_one_crate_at_a_time_and_stops_at_an_error() {
    let noise = |_| Bytes::from((0..40_000).map(|_| rand::random::<u8>()).collect::<Vec<u8>>());
    let read = std::cell::Cell::new(0);
    let crates = (0..100).map(noise).map(|bytes| {
        read.set(read.get() + 1);
        if read.get() == 50 { Err(std::io::Error::other("disk")) } else { Ok((Digest::of(&bytes), Some(bytes))) }
    });
    let mut pieces = encode(crates);
    let first = pieces.next().unwrap().unwrap();
    assert!(read.get() < 6 && first.len() < 300_000, "{} crates, {} bytes at once", read.get(), first.len());
    let rest: Vec<_> = pieces.by_ref().collect();
    assert!(rest.iter().rev().skip(1).all(Result::is_ok) && rest.last().unwrap().is_err());
    assert!(pieces.next().is_none());
}
