//! Signing and verifying keys in the text forms of C2SP `signed-note`.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Digest;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{Checkpoint, FederationError, checkpoint, cosignature, note};

/// The signature type of Ed25519 in `signed-note`.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

/// The key with which a node signs its log. Its text form is secret; `Debug` does not show it.
#[derive(Clone)]
pub struct NodeKey {
    origin: String,
    key: SigningKey,
}

/// The key with which others check a node's log. Its text form is `origin+id+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    origin: String,
    key: VerifyingKey,
}

impl NodeKey {
    /// Makes a key from the system's randomness. `origin` names the log for ever, such as `heliograph.example/europe`;
    /// spaces, control characters and `+`, which a name cannot have, become `-`.
    pub fn generate(origin: &str) -> Self {
        let origin = origin.replace(|c| !may_be_in_name(c), "-");
        let origin = if origin.is_empty() { "-".to_owned() } else { origin };
        Self { origin, key: SigningKey::from_bytes(&rand::random()) }
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// When the text is no Ed25519 signer key.
    pub fn from_text(text: &str) -> Result<Self, FederationError> {
        let form = || FederationError::bad_key("a signer key looks like PRIVATE+KEY+origin+id+base64");
        let (origin, id, secret) = split(text.strip_prefix(PRIVATE).ok_or_else(form)?).ok_or_else(form)?;
        let key = Self { origin: origin.to_owned(), key: SigningKey::from_bytes(&secret) };
        if key.public_key().id() == id {
            Ok(key)
        } else {
            Err(FederationError::bad_key("its id belongs to another key"))
        }
    }

    /// The secret text form, `PRIVATE+KEY+origin+id+base64`: keep it in a file only the node can read.
    pub fn to_text(&self) -> String {
        format!("{PRIVATE}{}", join(&self.origin, self.public_key().id(), self.key.as_bytes()))
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key others check with.
    pub fn public_key(&self) -> PublicKey {
        PublicKey { origin: self.origin.clone(), key: self.key.verifying_key() }
    }

    /// The signed statement that the log has `size` entries and this root (C2SP `tlog-checkpoint`).
    pub fn sign_checkpoint(&self, size: u64, root: Digest) -> String {
        self.sign(&checkpoint::text(&self.origin, size, &root))
    }

    /// Signs a text that ends in a newline and has no other control characters (C2SP `signed-note`). Its first line is what
    /// tells it from a checkpoint, which begins with the log's name.
    ///
    /// # Errors
    /// When the text is no text of a note, or would be taken for a cosignature.
    pub fn sign_note(&self, text: &str) -> Result<String, FederationError> {
        note::check_text(text)?;
        if text.starts_with(cosignature::HEADER) {
            return Err(FederationError::malformed("this text would be a cosignature"));
        }
        Ok(self.sign(text))
    }

    fn sign(&self, text: &str) -> String {
        note::write(text, &self.origin, self.public_key().id(), &self.sign_bytes(text.as_bytes()))
    }

    /// The bare signature over bytes, for the forms that this crate defines.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }
}

impl FromStr for NodeKey {
    type Err = FederationError;

    fn from_str(text: &str) -> Result<Self, FederationError> {
        Self::from_text(text)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKey").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// The name of the log the key belongs to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A short form for reading aloud: sixteen hexadecimal digits of the key's SHA-256, in groups of four.
    pub fn fingerprint(&self) -> String {
        let digest = Digest::of(self.key.as_bytes());
        let groups = digest.as_bytes().chunks(2).take(4);
        groups.map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect()).collect::<Vec<String>>().join(" ")
    }

    /// Checks that this key signed a note, and returns the note's text. Other keys may have signed it as well.
    ///
    /// # Errors
    /// [`FederationError::Malformed`] when it is no note, [`FederationError::BadSignature`] when this key did not sign it.
    pub fn verify_note<'a>(&self, note: &'a [u8]) -> Result<&'a str, FederationError> {
        let note = note::read(note)?;
        let mut signed = false;
        for (name, id, signature) in note.signatures {
            if name == self.origin && id == self.id() {
                if !self.verifies(note.text.as_bytes(), &signature) {
                    return Err(FederationError::BadSignature);
                }
                signed = true;
            }
        }
        if signed { Ok(note.text) } else { Err(FederationError::BadSignature) }
    }

    /// Checks a signed checkpoint of the log this key belongs to.
    ///
    /// # Errors
    /// [`FederationError::Malformed`] when it is no checkpoint, [`FederationError::BadSignature`] when this key did not
    /// sign it or it is of another log.
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<Checkpoint, FederationError> {
        let text = self.verify_note(note)?;
        let (origin, size, root) = checkpoint::parse(text)?;
        if origin != self.origin {
            return Err(FederationError::BadSignature);
        }
        Ok(Checkpoint { origin: origin.to_owned(), size, root, note: String::from_utf8_lossy(note).into_owned() })
    }

    /// The key's short id within its name (C2SP `signed-note`, "Signatures").
    pub(crate) fn id(&self) -> [u8; 4] {
        self.id_as(ED25519)
    }

    /// The 32 bytes of the key.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this key made a bare signature over bytes.
    pub(crate) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(bytes, &signature).is_ok())
    }

    /// The short id of the key for a type of signature.
    pub(crate) fn id_as(&self, kind: u8) -> [u8; 4] {
        let hashed = [self.origin.as_bytes(), b"\n", &[kind], self.key.as_bytes()].concat();
        let [a, b, c, d, ..] = *Digest::of(hashed).as_bytes();
        [a, b, c, d]
    }
}

impl FromStr for PublicKey {
    type Err = FederationError;

    fn from_str(text: &str) -> Result<Self, FederationError> {
        let form = || FederationError::bad_key("a public key looks like origin+id+base64");
        let (origin, id, bytes) = split(text).ok_or_else(form)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| FederationError::bad_key("no point on the curve"))?;
        if key.is_weak() {
            return Err(FederationError::bad_key("a weak key, which anyone could sign for"));
        }
        let key = Self { origin: origin.to_owned(), key };
        if key.id() == id { Ok(key) } else { Err(FederationError::bad_key("its id belongs to another key or name")) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.origin, self.id(), self.key.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Whether a character may be in the name of a key.
pub(crate) fn may_be_in_name(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || c == '+')
}

fn join(origin: &str, id: [u8; 4], key: &[u8; 32]) -> String {
    let bytes = [&[ED25519], &key[..]].concat();
    format!("{origin}+{:08x}+{}", u32::from_be_bytes(id), STANDARD.encode(bytes))
}

fn split(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (origin, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    if origin.is_empty() || !origin.chars().all(may_be_in_name) || id.len() != 8 || id.starts_with('+') {
        return None;
    }
    let id = u32::from_str_radix(id, 16).ok()?.to_be_bytes();
    let key = STANDARD.decode(key).ok()?;
    let (&ED25519, key) = key.split_first()? else { return None };
    Some((origin, id, key.try_into().ok()?))
}
