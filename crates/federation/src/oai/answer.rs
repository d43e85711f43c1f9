use dataset_model::Timestamp;
use quick_xml::escape::escape;

use super::{OaiCode, OaiError};

/// What a question is answered with.
#[derive(Debug)]
pub enum OaiAnswer {
    /// Who answers.
    Identify(Identity),
    /// In which forms records can be had.
    Formats(Vec<OaiFormat>),
    /// What records can be selected by.
    Sets(Vec<OaiSet>),
    /// One page of headers, and the token for the next; an empty one after the last of several.
    Headers(Vec<OaiHeader>, Option<String>),
    /// One page of records, and the token for the next; an empty one after the last of several.
    Records(Vec<OaiRecord>, Option<String>),
    /// One record.
    Record(Box<OaiRecord>),
}

/// Who answers (§4.2).
#[derive(Debug)]
pub struct Identity {
    /// What people call the repository.
    pub name: String,
    /// Whom to write to.
    pub admin_email: String,
    /// No record is older.
    pub earliest: Timestamp,
    /// A sentence about it.
    pub about: String,
}

/// A form of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiFormat {
    /// Its short name.
    pub prefix: &'static str,
    /// Address of its XML schema.
    pub schema: &'static str,
    /// Its XML namespace.
    pub namespace: &'static str,
}

/// A set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiSet {
    /// How it is asked for.
    pub spec: String,
    /// What people call it.
    pub name: String,
}

/// What is said about every record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiHeader {
    /// Its identifier.
    pub identifier: String,
    /// When it last changed.
    pub datestamp: Timestamp,
    /// The sets it is in.
    pub sets: Vec<String>,
    /// Whether it was withdrawn.
    pub deleted: bool,
}

/// A record.
#[derive(Debug, Clone)]
pub struct OaiRecord {
    /// What is said about it.
    pub header: OaiHeader,
    /// Its metadata, one XML element; nothing when it was withdrawn.
    pub metadata: Option<String>,
}

/// Writes an answer as XML. `request` are the arguments as they were asked, and `base_url` where.
pub fn write(
    base_url: &str,
    date: Timestamp,
    request: &[(String, String)],
    answer: &Result<OaiAnswer, OaiError>,
) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://www.openarchives.org/OAI/2.0/ \
         http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd\">\n",
    );
    element(&mut xml, "responseDate", &date.to_string());
    // Arguments that are none are not repeated (§3.2).
    let repeat = !matches!(answer, Err(OaiError { code: OaiCode::BadVerb | OaiCode::BadArgument, .. }));
    xml.push_str("<request");
    for (name, value) in request.iter().filter(|_| repeat) {
        xml.push_str(&format!(" {name}=\"{}\"", escape(allowed(value))));
    }
    xml.push_str(&format!(">{}</request>\n", escape(base_url)));
    match answer {
        Err(error) => xml.push_str(&format!(
            "<error code=\"{}\">{}</error>\n",
            error.code.as_str(),
            escape(allowed(&error.message))
        )),
        Ok(answer) => {
            let verb = request.iter().find(|(name, _)| name == "verb").map_or("Identify", |(_, verb)| verb.as_str());
            xml.push_str(&format!("<{verb}>\n"));
            body(&mut xml, base_url, answer);
            xml.push_str(&format!("</{verb}>\n"));
        }
    }
    xml.push_str("</OAI-PMH>\n");
    xml
}

fn body(xml: &mut String, base_url: &str, answer: &OaiAnswer) {
    match answer {
        OaiAnswer::Identify(identity) => identify(xml, base_url, identity),
        OaiAnswer::Formats(formats) => {
            for format in formats {
                xml.push_str("<metadataFormat>\n");
                element(xml, "metadataPrefix", format.prefix);
                element(xml, "schema", format.schema);
                element(xml, "metadataNamespace", format.namespace);
                xml.push_str("</metadataFormat>\n");
            }
        }
        OaiAnswer::Sets(sets) => {
            for set in sets {
                xml.push_str("<set>\n");
                element(xml, "setSpec", &set.spec);
                element(xml, "setName", &set.name);
                xml.push_str("</set>\n");
            }
        }
        OaiAnswer::Headers(headers, token) => {
            headers.iter().for_each(|one| header(xml, one));
            resumption(xml, token.as_deref());
        }
        OaiAnswer::Records(records, token) => {
            records.iter().for_each(|one| record(xml, one));
            resumption(xml, token.as_deref());
        }
        OaiAnswer::Record(one) => record(xml, one),
    }
}

fn identify(xml: &mut String, base_url: &str, identity: &Identity) {
    element(xml, "repositoryName", &identity.name);
    element(xml, "baseURL", base_url);
    element(xml, "protocolVersion", "2.0");
    element(xml, "adminEmail", &identity.admin_email);
    element(xml, "earliestDatestamp", &identity.earliest.to_string());
    element(xml, "deletedRecord", "persistent");
    element(xml, "granularity", "YYYY-MM-DDThh:mm:ssZ");
    if !identity.about.is_empty() {
        xml.push_str(
            "<description><oai_dc:dc xmlns:oai_dc=\"http://www.openarchives.org/OAI/2.0/oai_dc/\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xsi:schemaLocation=\"http://www.openarchives.org/OAI/2.0/oai_dc/ \
             http://www.openarchives.org/OAI/2.0/oai_dc.xsd\">\n",
        );
        element(xml, "dc:description", &identity.about);
        xml.push_str("</oai_dc:dc></description>\n");
    }
}

fn header(xml: &mut String, header: &OaiHeader) {
    xml.push_str(if header.deleted { "<header status=\"deleted\">\n" } else { "<header>\n" });
    element(xml, "identifier", &header.identifier);
    element(xml, "datestamp", &header.datestamp.to_string());
    header.sets.iter().for_each(|set| element(xml, "setSpec", set));
    xml.push_str("</header>\n");
}

fn record(xml: &mut String, record: &OaiRecord) {
    xml.push_str("<record>\n");
    header(xml, &record.header);
    if let Some(metadata) = &record.metadata {
        xml.push_str(&format!("<metadata>\n{metadata}</metadata>\n"));
    }
    xml.push_str("</record>\n");
}

fn resumption(xml: &mut String, token: Option<&str>) {
    if let Some(token) = token {
        element(xml, "resumptionToken", token);
    }
}

fn element(xml: &mut String, name: &str, text: &str) {
    xml.push_str(&format!("<{name}>{}</{name}>\n", escape(allowed(text))));
}

/// The characters that XML 1.0 can hold (§2.2).
fn allowed(text: &str) -> String {
    let keep = |c: &char| matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_asked_breaks_the_answer() {
        let asked = [("verb".to_owned(), "ListRecords".to_owned()), ("set".to_owned(), "\"<&\u{0}".to_owned())];
        let error = Err(OaiError::new(OaiCode::NoRecordsMatch, "<none> & \u{1}nothing"));
        let xml = write("http://node.example/oai?a&b", Timestamp::now(), &asked, &error);
        assert!(xml.contains("set=\"&quot;&lt;&amp;\">http://node.example/oai?a&amp;b</request>"), "{xml}");
        assert!(xml.contains("<error code=\"noRecordsMatch\">&lt;none&gt; &amp; nothing</error>"), "{xml}");
        let bad = Err(OaiError::new(OaiCode::BadArgument, "no"));
        assert!(write("http://node.example/oai", Timestamp::now(), &asked, &bad).contains("<request>http"));
    }
}
