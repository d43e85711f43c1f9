//! Keys, notes and checkpoints against the `signed_note` and `tlog_tiles` crates.

use dataset_model::Digest;
use federation::{FederationError, NodeKey, PublicKey};
use proptest::prelude::*;
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};

/// The example of the `signed-note` specification.
const SPEC_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const SPEC_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SPEC_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                         then you don't know what your problem is.\n";
const SPEC_SIGNATURE: &str =
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn origins() -> impl Strategy<Value = String> {
    "[a-z0-9./äé-]{1,30}"
}

#[test]
fn the_example_of_the_specification_holds() {
    let key = NodeKey::from_text(SPEC_SECRET).unwrap();
    assert_eq!(key.to_text(), SPEC_SECRET);
    assert_eq!(key.public_key().to_string(), SPEC_PUBLIC);
    let note = key.sign_note(SPEC_TEXT).unwrap();
    assert_eq!(note, format!("{SPEC_TEXT}{SPEC_SIGNATURE}"));
    let public: PublicKey = SPEC_PUBLIC.parse().unwrap();
    assert_eq!(public.verify_note(note.as_bytes()).unwrap(), SPEC_TEXT);
}

#[test]
fn debug_does_not_show_the_secret() {
    let shown = format!("{:?}", NodeKey::from_text(SPEC_SECRET).unwrap());
    assert!(shown.contains("PeterNeumann") && !shown.contains("AYEKFALVFGyN"), "{shown}");
    assert!(!shown.contains("129, 10, 20"), "{shown}");
}

#[test]
fn a_name_a_key_cannot_have_is_made_one() {
    for (asked, given) in
        [("a b+c", "a-b-c"), ("", "-"), ("line\nfeed", "line-feed"), ("fine.example/x", "fine.example/x")]
    {
        let key = NodeKey::generate(asked);
        assert_eq!(key.origin(), given);
        assert_eq!(key.to_text().parse::<NodeKey>().unwrap().public_key(), key.public_key());
    }
}

#[test]
fn texts_that_are_no_keys_are_refused() {
    let wrong_id = SPEC_PUBLIC.replace("c74f20a3", "c74f20a4");
    let other_name = SPEC_PUBLIC.replace("PeterNeumann", "EnochRoot");
    let other_kind = "PeterNeumann+c74f20a3+AhpcYQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let weak = "weak+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for wrong in ["", "+", "a+b", SPEC_SECRET, &wrong_id, &other_name, other_kind, weak, "PeterNeumann+c74f20a3+ARpc"] {
        assert!(matches!(wrong.parse::<PublicKey>(), Err(FederationError::BadKey { .. })), "{wrong}");
    }
    assert!(matches!(NodeKey::from_text(SPEC_PUBLIC), Err(FederationError::BadKey { .. })));
    let wrong_id = SPEC_SECRET.replace("c74f20a3", "c74f20a4");
    assert!(matches!(NodeKey::from_text(&wrong_id), Err(FederationError::BadKey { .. })));
}

proptest! {
    #[test]
    fn signed_note_reads_our_keys_and_believes_our_checkpoints(origin in origins(), size in 1..1_u64 << 48, root: [u8; 32]) {
        let key = NodeKey::generate(&origin);
        let note = key.sign_checkpoint(size, Digest::from_bytes(root));
        let verifier = StandardVerifier::new(&key.public_key().to_string()).unwrap();
        let parsed = Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, others) = parsed.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
        prop_assert_eq!((verified.len(), others.len()), (1, 0));
        let theirs = tlog_tiles::Checkpoint::from_bytes(parsed.text()).unwrap();
        prop_assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (&*origin, size, root));
        let ours = key.public_key().verify_checkpoint(note.as_bytes()).unwrap();
        prop_assert_eq!((&*ours.origin, ours.size, *ours.root.as_bytes()), (&*origin, size, root));
        prop_assert_eq!(ours.note, note);
    }

    #[test]
    fn we_believe_what_signed_note_signs(origin in origins(), text in "[ -~é\n]{0,200}") {
        let key = NodeKey::generate(&origin);
        let signer = StandardSigner::new(&key.to_text()).unwrap();
        prop_assert_eq!(signer.key_id(), StandardVerifier::new(&key.public_key().to_string()).unwrap().key_id());
        let witness = StandardSigner::new(&NodeKey::generate("witness.example").to_text()).unwrap();
        let text = format!("{text}\n");
        let mut note = Note::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&signer, &witness]).unwrap();
        let note = note.to_bytes();
        prop_assert_eq!(key.public_key().verify_note(&note).unwrap(), text);
    }

    #[test]
    fn a_checkpoint_with_any_bit_changed_is_not_believed_to_say_something_else(
        size in 0..5000_u64, at: prop::sample::Index, bit in 0..8_u8
    ) {
        let key = NodeKey::generate("heliograph.example/europe");
        let root = Digest::of(size.to_be_bytes());
        let mut note = key.sign_checkpoint(size, root).into_bytes();
        let at = at.index(note.len());
        note[at] ^= 1 << bit;
        if let Ok(checkpoint) = key.public_key().verify_checkpoint(&note) {
            prop_assert_eq!((checkpoint.size, checkpoint.root), (size, root));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, text in "[a—\\n +=A-Z0-9]{0,80}") {
        let key = NodeKey::generate("a").public_key();
        prop_assert!(key.verify_checkpoint(&bytes).is_err());
        prop_assert!(key.verify_checkpoint(text.as_bytes()).is_err());
        prop_assert!(text.parse::<PublicKey>().is_err());
    }
}

#[test]
fn a_checkpoint_of_another_log_or_key_is_not_believed() {
    let (ours, other) = (NodeKey::generate("a.example"), NodeKey::generate("a.example"));
    let believed = |note: &str| ours.public_key().verify_checkpoint(note.as_bytes());
    let root = Digest::of("root");
    assert!(matches!(believed(&other.sign_checkpoint(1, root)), Err(FederationError::BadSignature)));
    // Signed by the right key, about another log.
    let foreign = ours.sign_note("b.example\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").unwrap();
    assert!(matches!(believed(&foreign), Err(FederationError::BadSignature)));
    // Lines after the root are allowed, and are signed as well.
    let extended = ours.sign_note("a.example\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n").unwrap();
    assert_eq!(believed(&extended).unwrap().root, Digest::of(""));
}

#[test]
fn checkpoints_of_another_form_are_malformed_even_when_signed() {
    let key = NodeKey::generate("a.example");
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for text in [
        format!("a.example\n01\n{root}\n"),
        format!("a.example\n-1\n{root}\n"),
        format!("a.example\n+1\n{root}\n"),
        format!("a.example\n18446744073709551615\n{root}\n"),
        "a.example\n1\nc2hvcnQ=\n".to_owned(),
        "a.example\n1\n".to_owned(),
        format!("\na.example\n1\n{root}\n"),
        format!("a.example\n1\n{root}\n\nmore\n"),
    ] {
        let note = key.sign_note(&text).unwrap();
        let outcome = key.public_key().verify_checkpoint(note.as_bytes());
        assert!(matches!(outcome, Err(FederationError::Malformed { .. })), "{text}: {outcome:?}");
    }
    assert!(key.sign_note("no newline").is_err());
    assert!(key.sign_note("bell\u{7}\n").is_err());
}

#[test]
fn fingerprints_are_short_and_differ() {
    let (one, two) = (NodeKey::generate("a").public_key(), NodeKey::generate("a").public_key());
    assert_eq!(one.fingerprint().len(), "1234 5678 9abc def0".len());
    assert_ne!(one.fingerprint(), two.fingerprint());
}
