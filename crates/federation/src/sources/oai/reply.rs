use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

/// No answer known nests deeper than a third of this.
const MAX_DEPTH: usize = 96;

/// A record as a provider tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OaiItem {
    /// Its identifier.
    pub identifier: String,
    /// When it last changed, as the provider writes it.
    pub datestamp: String,
    /// Whether it was withdrawn.
    pub deleted: bool,
    /// Its metadata: one XML element, as it stands in the answer.
    pub metadata: Option<String>,
}

/// How a list goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Records of the whole list, where that is told.
    pub(super) complete: Option<u64>,
}

/// What an answer says, as far as a harvester needs it.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) response_date: Option<String>,
    pub(super) error: Option<(String, String)>,
    pub(super) records: Vec<OaiItem>,
    pub(super) token: Option<Token>,
    pub(super) formats: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) granularity: Option<String>,
    pub(super) deleted_record: Option<String>,
}

impl Reply {
    /// Reads an answer. Entities that XML does not have, and document types, are refused: nothing is expanded.
    ///
    /// # Errors
    /// In words, to follow the provider's name.
    pub(super) fn read(text: &str, most: usize) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let mut reader = Reader::from_str(text);
        let (mut reply, mut path, mut ended) = (Self::default(), Vec::<String>::new(), false);
        let mut metadata_from = None;
        loop {
            let before = reader.buffer_position();
            let event = reader.read_event().map_err(|error| format!("answered with malformed XML: {error}"))?;
            match event {
                Event::Start(start) => {
                    path.push(start.local_name().as_ref().to_owned());
                    if path.len() > MAX_DEPTH {
                        return Err(format!("nests more than {MAX_DEPTH} elements"));
                    }
                    reply.open(&path, &start)?;
                    if is_metadata(&path) {
                        metadata_from = Some(reader.buffer_position());
                    }
                }
                Event::Empty(start) => {
                    path.push(start.local_name().as_ref().to_owned());
                    reply.open(&path, &start)?;
                    path.pop();
                }
                Event::End(_) => {
                    if is_metadata(&path) {
                        reply.keep_metadata(text, metadata_from.take(), before);
                    }
                    path.pop();
                    ended |= path.is_empty();
                }
                Event::Text(piece) => reply.add(&path, &piece),
                Event::CData(piece) => reply.add(&path, &piece),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                    let known = || quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                    let text = character.or_else(known);
                    reply.add(&path, &text.ok_or("uses an entity that XML does not have")?);
                }
                Event::DocType(_) => return Err("declares a document type, which is not read".to_owned()),
                Event::Eof => break,
                _ => {}
            }
            if reply.records.len() > most {
                return Err(format!("gives more than {most} records on one page"));
            }
        }
        if ended { Ok(reply) } else { Err("gave an answer that ends early: it was cut off".to_owned()) }
    }

    fn open(&mut self, path: &[String], start: &BytesStart<'_>) -> Result<(), String> {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["OAI-PMH"] => {}
            [other] => return Err(format!("answered with '{}', which is no OAI-PMH", other.escape_debug())),
            [_, "error"] => self.error = Some((attribute(start, "code").unwrap_or_default(), String::new())),
            [_, "ListRecords" | "GetRecord", "record"] => self.records.push(OaiItem::default()),
            [_, _, "record", "header"] => {
                let deleted = attribute(start, "status").is_some_and(|status| status == "deleted");
                if let Some(record) = self.records.last_mut() {
                    record.deleted = deleted;
                }
            }
            [_, "ListRecords", "resumptionToken"] => {
                let complete = attribute(start, "completeListSize").and_then(|size| size.trim().parse().ok());
                self.token = Some(Token { text: String::new(), complete });
            }
            [_, "ListMetadataFormats", "metadataFormat", "metadataPrefix"] => self.formats.push(String::new()),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, path: &[String], text: &str) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let record = self.records.last_mut();
        let place = match names.as_slice() {
            [_, "responseDate"] => self.response_date.get_or_insert_default(),
            [_, "error"] => match &mut self.error {
                Some((_, message)) => message,
                None => return,
            },
            [_, _, "record", "header", name] => match (record, *name) {
                (Some(record), "identifier") => &mut record.identifier,
                (Some(record), "datestamp") => &mut record.datestamp,
                _ => return,
            },
            [_, "ListRecords", "resumptionToken"] => match &mut self.token {
                Some(token) => &mut token.text,
                None => return,
            },
            [_, "ListMetadataFormats", "metadataFormat", "metadataPrefix"] => match self.formats.last_mut() {
                Some(format) => format,
                None => return,
            },
            [_, "Identify", "repositoryName"] => self.name.get_or_insert_default(),
            [_, "Identify", "granularity"] => self.granularity.get_or_insert_default(),
            [_, "Identify", "deletedRecord"] => self.deleted_record.get_or_insert_default(),
            _ => return,
        };
        place.push_str(text.trim());
    }

    fn keep_metadata(&mut self, text: &str, from: Option<u64>, to: u64) {
        let range = from.and_then(|from| Some(usize::try_from(from).ok()?..usize::try_from(to).ok()?));
        let metadata = range.and_then(|range| text.get(range)).map(|text| text.trim().to_owned());
        if let Some(record) = self.records.last_mut() {
            record.metadata = metadata.filter(|text| !text.is_empty());
        }
    }
}

/// Whether a path ends at a record's metadata.
fn is_metadata(path: &[String]) -> bool {
    path.len() == 4 && path[2] == "record" && path[3] == "metadata"
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok().flatten()?;
    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Reply, String> {
        Reply::read(text, 100)
    }

    #[test]
    fn records_their_metadata_and_the_token_are_read() {
        let reply = read(
            "\u{feff}<?xml version='1.0'?><OAI-PMH xmlns='x'><responseDate>2026-01-02T03:04:05Z</responseDate><ListRecords>\
             <record><header><identifier>oai:a:1</identifier><datestamp>2026-01-01</datestamp><setSpec>s</setSpec></header>\
             <metadata>\n <oai_dc:dc xmlns:oai_dc='y'><identifier>no &amp; more</identifier></oai_dc:dc></metadata></record>\
             <o:record xmlns:o='x'><o:header status='deleted'><o:identifier>oai:a:2&amp;3</o:identifier></o:header></o:record>\
             <resumptionToken completeListSize='7' cursor='0'>a&#x62;c</resumptionToken></ListRecords></OAI-PMH>",
        )
        .unwrap();
        assert_eq!(reply.response_date.as_deref(), Some("2026-01-02T03:04:05Z"));
        let [first, second] = reply.records.as_slice() else { panic!("{reply:?}") };
        assert_eq!((first.identifier.as_str(), first.deleted), ("oai:a:1", false));
        assert_eq!(
            first.metadata.as_deref(),
            Some("<oai_dc:dc xmlns:oai_dc='y'><identifier>no &amp; more</identifier></oai_dc:dc>")
        );
        assert_eq!((second.identifier.as_str(), second.deleted, &second.metadata), ("oai:a:2&3", true, &None));
        assert_eq!(reply.token, Some(Token { text: "abc".into(), complete: Some(7) }));
    }

    #[test]
    fn errors_identities_and_formats_are_read() {
        let reply = read("<OAI-PMH><error code='noRecordsMatch'>none &lt;</error></OAI-PMH>").unwrap();
        assert_eq!(reply.error, Some(("noRecordsMatch".to_owned(), "none<".to_owned())));
        let reply = read("<OAI-PMH><Identify><deletedRecord>no</deletedRecord><granularity>YYYY-MM-DD</granularity></Identify></OAI-PMH>").unwrap();
        assert_eq!((reply.deleted_record.as_deref(), reply.granularity.as_deref()), (Some("no"), Some("YYYY-MM-DD")));
        let reply = read("<OAI-PMH><ListMetadataFormats><metadataFormat><metadataPrefix>oai_dc</metadataPrefix></metadataFormat><metadataFormat><metadataPrefix>x</metadataPrefix></metadataFormat></ListMetadataFormats></OAI-PMH>").unwrap();
        assert_eq!(reply.formats, ["oai_dc", "x"]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "",
            "{}",
            "<html><body>busy</body></html>",
            "<OAI-PMH><ListRecords><record>",
            "<OAI-PMH><ListRecords></OAI-PMH>",
            "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><OAI-PMH></OAI-PMH>",
            "<OAI-PMH><responseDate>&b;</responseDate></OAI-PMH>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&format!("<OAI-PMH>{}", "<a>".repeat(1000))).is_err());
        let many = format!("<OAI-PMH><ListRecords>{}</ListRecords></OAI-PMH>", "<record/>".repeat(101));
        assert!(read(&many).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "(<OAI-PMH>|<ListRecords>|<record>|<metadata>|</metadata>|</record>|&amp;|&x;|é|[<>/a ]){0,40}") {
            // Whatever it says, it ends and does not panic.
            assert!(read(&text).is_ok() || read(&text).is_err());
        }
    }
}
