//! What a crate says for the archive that runs it and not for the world: e-mail addresses, telephone and fax numbers.
//!
//! Decided here and nowhere else. A deposit loses them when its crate is published, a record from elsewhere when it is
//! imported; and whatever is read for a page, a search or RDF is read without them, wherever it came from.

mod address;

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use aho_corasick::AhoCorasick;
use serde_json::{Map, Value};

use crate::{
    CrateError,
    context::Vocabulary,
    reading::{
        limits,
        text::{clean, plain},
    },
};
use address::{may_have_sign, without_addresses};

/// What local ids begin with that stand for ids with an address in them.
const WITHHELD: &str = "#withheld-";
/// Bytes without which a crate holds no contact details, however they are spelt; in any case.
const MARKS: [&str; 20] = [
    "\\u",
    "＠",
    "﹫",
    "%40",
    // Also with an escaped `&`.
    "#64",
    "commat",
    "at]",
    "at)",
    "at}",
    "at ]",
    "at )",
    "at }",
    "mailto",
    "mail\"",
    "mails\"",
    "mail_address\"",
    "mail-address\"",
    "mbox",
    "telephone",
    "faxnumber",
];

/// Finds them all in one pass.
static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(MARKS).ok());

/// A crate as it may be given to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicCrate {
    /// The crate without contact details; nothing where it had none, so that its bytes can stay as they are.
    pub changed: Option<Vec<u8>>,
    /// How many values were taken out.
    pub withheld: usize,
}

/// Takes e-mail addresses, telephone and fax numbers out of a crate.
///
/// # Errors
/// When the bytes are no JSON within the limits of [`read_crate`](crate::read_crate): nobody can tell what they hold.
pub fn public_crate(bytes: &[u8]) -> Result<PublicCrate, CrateError> {
    limits::check(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| CrateError::NotJson(Box::new(error)))?;
    if !is_suspect(text) {
        return Ok(PublicCrate { changed: None, withheld: 0 });
    }
    let mut document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| CrateError::NotJson(Box::new(error)))?;
    let withheld = withhold_contacts(&mut document);
    // A key given twice hides its first value from whoever reads the document, and not from whoever reads the bytes.
    let hidden = withheld == 0 && without_addresses(&unescaped(text)).is_some();
    let write = || serde_json::to_vec_pretty(&document).map_err(|error| CrateError::NotJson(Box::new(error)));
    let changed = (withheld > 0 || hidden).then(write).transpose()?;
    Ok(PublicCrate { changed, withheld: withheld + usize::from(hidden) })
}

/// JSON with its `\uXXXX` written out, as far as they are characters by themselves.
fn unescaped(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    let mut parts = json.split("\\u");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match code {
            Some(character) => {
                plain.push(character);
                plain.push_str(part.get(4..).unwrap_or_default());
            }
            None => plain.push_str(part),
        }
    }
    plain
}

/// The same for a document that is at hand; gives how many values were taken out.
///
/// Ids with an address in them become local ids, `#withheld-1` and so on, so that what refers to them still does.
pub fn withhold_contacts(document: &mut Value) -> usize {
    let vocabulary = Vocabulary::read(document.get("@context").unwrap_or(&Value::Null));
    let mut taken = HashSet::new();
    find_taken(document, &mut taken);
    let (ids, keys) = Default::default();
    let mut withholding = Withholding { vocabulary: &vocabulary, ids, keys, taken, number: 0, count: 0 };
    let context = document.as_object_mut().and_then(|object| object.remove_entry("@context"));
    withholding.value(document, false);
    if let (Some((key, mut context)), Some(object)) = (context, document.as_object_mut()) {
        // Definitions of the words stay; what is told with them went.
        withholding.texts(&mut context);
        object.shift_insert(0, key, context);
    }
    withholding.count
}

/// Whether a text has an e-mail address in it.
pub fn has_address(text: &str) -> bool {
    is_mailto(text) || (may_have_sign(text) && without_addresses(&clean(text)).is_some())
}

/// Whether every string must be looked at; wrong on the safe side only.
fn is_suspect(text: &str) -> bool {
    // Keywords of JSON-LD begin with the sign, addresses never do.
    let signs = text.bytes().zip(text.bytes().skip(1)).any(|(before, byte)| byte == b'@' && before != b'"');
    signs || FINDER.as_ref().is_none_or(|finder| finder.is_match(text))
}

/// Whether a property holds contact details, by its short name or its IRI.
fn is_contact(property: &str) -> bool {
    let local = property.rsplit(['/', '#', ':']).next().unwrap_or(property);
    let local: String = local.chars().filter(|c| !"-_".contains(*c)).map(|c| c.to_ascii_lowercase()).collect();
    matches!(local.as_str(), "telephone" | "faxnumber")
        || ["email", "emails", "emailaddress", "mbox", "mboxsha1sum"].iter().any(|end| local.ends_with(end))
}

fn is_mailto(text: &str) -> bool {
    text.trim_start().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
}

struct Withholding<'a> {
    vocabulary: &'a Vocabulary,
    /// Ids that had an address in them, with what they are now.
    ids: HashMap<String, String>,
    /// Properties seen so far, and whether they hold contact details.
    keys: HashMap<String, bool>,
    /// Ids of the document that look like ours.
    taken: HashSet<String>,
    /// The last number given.
    number: usize,
    count: usize,
}

impl Withholding<'_> {
    fn value(&mut self, value: &mut Value, is_id: bool) {
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value, is_id)),
            Value::String(text) if is_id => self.id(text),
            Value::String(text) => self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(&mut self, object: &mut Map<String, Value>) {
        let before = object.len();
        object.retain(|key, _| !self.is_contact(key));
        self.count += before - object.len();
        self.told_keys(object);
        for (key, value) in object.iter_mut() {
            self.value(value, key == "@id");
        }
    }

    /// Whether a property holds contact details, also by a name that the crate's context gives it.
    fn is_contact(&mut self, key: &str) -> bool {
        if let Some(known) = self.keys.get(key) {
            return *known;
        }
        let contact = !key.starts_with('@') && (is_contact(key) || is_contact(&self.vocabulary.short(key)));
        self.keys.insert(key.to_owned(), contact);
        contact
    }

    /// Keys are texts, too.
    fn told_keys(&mut self, object: &mut Map<String, Value>) {
        let told: Vec<String> = object.keys().filter(|key| has_address(key)).cloned().collect();
        self.count += told.len();
        told.iter().for_each(|key| drop(object.shift_remove(key)));
    }

    fn text(&mut self, text: &mut String) {
        if !may_have_sign(text) && !is_mailto(text) {
            return;
        }
        let kept = if is_mailto(text) { Some(String::new()) } else { without_addresses(text) };
        // As it is read later: markup and invisible characters may hide an address until then.
        let hidden = without_addresses(&plain(&clean(kept.as_deref().unwrap_or(text))));
        if let Some(kept) = hidden.or(kept) {
            *text = kept;
            self.count += 1;
        }
    }

    fn texts(&mut self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                self.told_keys(object);
                object.values_mut().for_each(|value| self.texts(value));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.texts(value)),
            Value::String(text) => self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn id(&mut self, id: &mut String) {
        if let Some(known) = self.ids.get(id) {
            id.clone_from(known);
        } else if has_address(id) {
            let local = self.free_id();
            self.count += 1;
            self.ids.insert(std::mem::replace(id, local.clone()), local);
        }
    }

    fn free_id(&mut self) -> String {
        loop {
            self.number += 1;
            let id = format!("{WITHHELD}{}", self.number);
            if !self.taken.contains(&id) {
                return id;
            }
        }
    }
}

fn find_taken(value: &Value, taken: &mut HashSet<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|value| find_taken(value, taken)),
        Value::Array(values) => values.iter().for_each(|value| find_taken(value, taken)),
        Value::String(text) if text.starts_with(WITHHELD) => drop(taken.insert(text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn withheld(mut document: Value) -> (Value, usize) {
        let count = withhold_contacts(&mut document);
        (document, count)
    }

    #[test]
    fn contact_details_go_under_whatever_name() {
        for key in
            ["email", "schema:email", "https://schema.org/email", "foaf:mbox", "contactEmail", "kontakt", "telephone"]
        {
            let (document, count) = withheld(json!({
                "@context": ["https://w3id.org/ro/crate/1.2/context", {"kontakt": "http://schema.org/email", "email": "http://schema.org/email"}],
                "@graph": [{"@id": "#a", "name": "Ann", "contactPoint": {key: "ann at example dot org"}, key: ["malformed"]}]}));
            assert_eq!(document["@graph"], json!([{"@id": "#a", "name": "Ann", "contactPoint": {}}]), "{key}");
            assert_eq!(count, 2);
            assert_eq!(document["@context"][1]["email"], "http://schema.org/email", "words keep their meaning");
        }
    }

    #[test]
    fn ids_with_an_address_stay_apart_and_stay_linked() {
        let (document, _) = withheld(json!({"@graph": [
            {"@id": "./", "author": [{"@id": "mailto:ann@example.org"}, {"@id": "mailto:bob@example.org"}]},
            {"@id": "mailto:bob@example.org", "name": "Bob"}, {"@id": "#withheld-1"}, {"@id": "https://example.org/~ann@example.org"}]}));
        assert_eq!(
            document["@graph"],
            json!([
            {"@id": "./", "author": [{"@id": "#withheld-2"}, {"@id": "#withheld-3"}]},
            {"@id": "#withheld-3", "name": "Bob"}, {"@id": "#withheld-1"}, {"@id": "#withheld-4"}])
        );
    }

    #[test]
    fn texts_keys_and_contexts_are_looked_through() {
        let (document, count) = withheld(
            json!({"@context": {"x": {"@id": "http://x.org/ann@example.org"}, "ann@example.org": "y"},
            "@graph": [{"@id": "#a", "description": "Ask ann@example.org.", "bob@example.org": 1, "sameAs": "mailto:ann",
                "name": "ann<i>@</i>exam\u{7}ple.org &amp; co"}]}),
        );
        assert!(!document.to_string().contains("ann") && !document.to_string().contains("bob"), "{document}");
        let left = json!({"@id": "#a", "description": "Ask [e-mail address removed].", "sameAs": "", "name": "[e-mail address removed] & co"});
        assert_eq!(document["@graph"][0], left);
        assert_eq!(count, 6);
    }

    #[test]
    fn bytes_without_contact_details_stay_and_the_rest_keeps_its_order() {
        let plain = br##"{"@context": "x", "@graph": [{"@id": "#a", "name": "10 ms @ 40x"}]}"##;
        assert_eq!(public_crate(plain).unwrap(), PublicCrate { changed: None, withheld: 0 });
        let escaped =
            r##"{"@context": "x", "@graph": [{"name": "ann\u0040example.org", "@id": "#z", "\u0065mail": "a"}]}"##;
        let public = public_crate(escaped.as_bytes()).unwrap();
        assert_eq!(public.withheld, 2);
        let changed: Value = serde_json::from_slice(&public.changed.unwrap()).unwrap();
        let keys: Vec<&String> = changed.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["@context", "@graph"]);
        assert_eq!(changed["@graph"], json!([{"name": "[e-mail address removed]", "@id": "#z"}]));
        let escaped_twice = br##"{"@graph": [{"name": "ann&amp;#64;example.org"}]}"##;
        assert_eq!(public_crate(escaped_twice).unwrap().withheld, 1, "as it is read later");
        let twice = br##"{"@graph": [{"name": "ann\u0040example.org", "name": "Ann"}]}"##;
        assert_eq!(
            public_crate(twice).unwrap().withheld,
            1,
            "a value that is written over is in the bytes all the same"
        );
        assert!(public_crate(b"ann@example.org").is_err(), "what cannot be read is not given away");
    }

    #[test]
    fn what_is_public_once_is_public_as_it_is() {
        let crate_json =
            br##"{"@graph": [{"@id": "mailto:a@b.org", "email": "x", "name": "mail a@b.org (or c [at] d.org)"}]}"##;
        let once = public_crate(crate_json).unwrap().changed.unwrap();
        assert_eq!(public_crate(&once).unwrap(), PublicCrate { changed: None, withheld: 0 });
    }
}
