//! Cosignatures and the request for them, against `signed_note` and the words of C2SP.

use dataset_model::{Digest, Timestamp};
use ed25519_dalek::{Signature, VerifyingKey};
use federation::{AddCheckpoint, FederationError, NodeKey, PublicKey, with_cosignatures};
use proptest::prelude::*;
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

const TIME: i64 = 1_679_315_147;

fn time() -> Timestamp {
    Timestamp::from_unix_seconds(TIME).unwrap()
}

/// A verifier of cosignatures, written from C2SP `tlog-cosignature`.
struct Cosigner {
    name: String,
    key: VerifyingKey,
}

impl Verifier for Cosigner {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        signed_note::key_id(&self.name, &[&[4], &self.key.as_bytes()[..]].concat())
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some((seconds, signature)) = signature.split_first_chunk::<8>() else { return false };
        let head = format!("cosignature/v1\ntime {}\n", u64::from_be_bytes(*seconds));
        let signature = Signature::from_slice(signature).unwrap();
        self.key.verify_strict(&[head.as_bytes(), text].concat(), &signature).is_ok()
    }
}

fn cosigner(witness: &PublicKey) -> Cosigner {
    let text = witness.as_witness();
    let encoded = text.splitn(3, '+').nth(2).unwrap();
    let bytes = base64_decode(encoded);
    assert_eq!(bytes[0], 4);
    Cosigner { name: witness.origin().into(), key: VerifyingKey::from_bytes(bytes[1..].try_into().unwrap()).unwrap() }
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(text).unwrap()
}

#[test]
fn signed_note_reads_a_checkpoint_with_cosignatures_and_believes_each() {
    let log = NodeKey::generate("heliograph/europe");
    let witnesses = ["heliograph/japan", "heliograph/australia"].map(NodeKey::generate);
    let bare = log.sign_checkpoint(7, Digest::of("root"));
    let cosignatures: Vec<_> = witnesses.iter().map(|key| key.cosign(bare.as_bytes(), time()).unwrap()).collect();
    let note = with_cosignatures(&bare, &log.public_key(), &cosignatures).unwrap();
    let mut verifiers: Vec<Box<dyn Verifier>> = Vec::new();
    verifiers.push(Box::new(StandardVerifier::new(&log.public_key().to_string()).unwrap()));
    for witness in &witnesses {
        verifiers.push(Box::new(cosigner(&witness.public_key())));
    }
    let parsed = Note::from_bytes(note.as_bytes()).unwrap();
    let (verified, others) = parsed.verify(&VerifierList::new(verifiers)).unwrap();
    assert_eq!((verified.len(), others.len()), (3, 0));
    assert_eq!(log.public_key().verify_checkpoint(note.as_bytes()).unwrap().size, 7);
    for (witness, cosignature) in witnesses.iter().zip(&cosignatures) {
        assert_eq!(witness.public_key().cosignature_on(note.as_bytes()).unwrap().as_ref(), Some(cosignature));
    }
    assert_eq!(with_cosignatures(&note, &log.public_key(), []).unwrap(), bare, "the old ones go");
}

#[test]
fn a_cosignature_holds_for_its_checkpoint_its_key_and_its_time_alone() {
    let (log, witness) = (NodeKey::generate("a.example"), NodeKey::generate("w.example"));
    let note = log.sign_checkpoint(7, Digest::of("root"));
    let line = witness.cosign(note.as_bytes(), time()).unwrap().line;
    let of = |note: &str| witness.public_key().cosignature_on(note.as_bytes()).unwrap();
    assert_eq!(of(&format!("{note}{line}")).unwrap().time, time());
    assert_eq!(of(&note), None);
    let other = log.sign_checkpoint(8, Digest::of("root"));
    assert_eq!(of(&format!("{other}{line}")), None, "another checkpoint");
    let namesake = NodeKey::generate("w.example").public_key();
    assert_eq!(namesake.cosignature_on(format!("{note}{line}").as_bytes()).unwrap(), None, "another key");
    let encoded = line.trim_end().rsplit(' ').next().unwrap();
    let mut bytes = base64_decode(encoded);
    bytes[11] ^= 1;
    let later = line.replace(encoded, &base64_encode(&bytes));
    assert_eq!(of(&format!("{note}{later}")), None, "another time");
    assert!(
        log.sign_note("cosignature/v1\ntime 1\nb.example\n").is_err(),
        "nothing else that is signed looks like one"
    );
    assert!(witness.public_key().verify_note(format!("{note}{line}").as_bytes()).is_err(), "it is no plain signature");
}

fn base64_encode(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

/// What stands between two lines in the documentation, both left out.
fn documented(from: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FEDERATION.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("'{from}' is not in docs/FEDERATION.md"));
    rest.split("```").nth(1).unwrap().trim_start_matches('\n').to_owned()
}

/// Keys of the examples in the documentation: 32 bytes of 1, 2, 3 …
fn example_key(name: &str, byte: u8) -> NodeKey {
    let public = ed25519_dalek::SigningKey::from_bytes(&[byte; 32]).verifying_key();
    let id = signed_note::key_id(name, &[&[1], &public.as_bytes()[..]].concat());
    let secret = base64_encode(&[&[1], &[byte; 32][..]].concat());
    NodeKey::from_text(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")).unwrap()
}

#[test]
fn the_examples_of_the_documentation_are_what_the_code_makes() {
    let (europe, japan) = (example_key("heliograph/europe", 1), example_key("heliograph/japan", 2));
    let root = "fb257ecaef64195bd4ce3a992d099ca3473380a8020ca7204fd120d648fc36c6".parse().unwrap();
    let tree = federation::Tree { size: 2, root };
    let bare = europe.sign_checkpoint(tree.size, tree.root);
    let cosignature = japan.cosign(bare.as_bytes(), "2026-11-22T10:00:05Z".parse().unwrap()).unwrap();
    let note = with_cosignatures(&bare, &europe.public_key(), [&cosignature]).unwrap();
    let keys = format!("{}\n{}\n", europe.public_key(), japan.public_key().as_witness());
    let change = federation::KeyChange::sign(
        &europe,
        &example_key("heliograph/europe", 3),
        tree,
        "2026-11-23T10:00:00Z".parse().unwrap(),
    );
    for (after, made) in [
        ("**Keys of the example.**", keys),
        ("**A cosigned checkpoint.**", note),
        ("**A change of key.**", change.unwrap().note),
    ] {
        assert_eq!(documented(after), made, "put this after '{after}':\n{made}");
    }
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(old: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=63)) {
        let checkpoint = NodeKey::generate("a.example").sign_checkpoint(9, Digest::of("root"));
        let request = AddCheckpoint { old, proof: hashes.into_iter().map(Digest::from_bytes).collect(), checkpoint };
        prop_assert_eq!(AddCheckpoint::from_bytes(request.to_text().as_bytes()).unwrap(), request);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>, text in "(old [0-9]{1,3}\n)?[A-Za-z0-9+/=\n— ]{0,90}") {
        drop(AddCheckpoint::from_bytes(&bytes));
        drop(AddCheckpoint::from_bytes(text.as_bytes()));
        let key = NodeKey::generate("a").public_key();
        prop_assert!(!matches!(key.cosignature_on(text.as_bytes()), Ok(Some(_))));
        prop_assert!(federation::KeyChange::read(&text).is_err());
    }
}

#[test]
fn requests_of_another_form_are_refused() {
    let hash = base64_encode(&[7; 32]);
    let many = format!("old 3\n{}\na\n1\n", format!("{hash}\n").repeat(64));
    for wrong in ["", "old 1\n", "old 01\n\nnote", "old -1\n\nnote", "new 1\n\nnote", "old 1\nAAAA\n\nnote", &many] {
        assert!(
            matches!(AddCheckpoint::from_bytes(wrong.as_bytes()), Err(FederationError::Malformed { .. })),
            "{wrong}"
        );
    }
    let huge = vec![b'a'; federation::MAX_ADD_CHECKPOINT_BYTES + 1];
    assert!(matches!(AddCheckpoint::from_bytes(&huge), Err(FederationError::TooLarge { .. })));
}
