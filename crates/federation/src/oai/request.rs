use dataset_model::Timestamp;

use super::{OaiCode, OaiError, Position, token};

/// A question (§4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OaiRequest {
    /// Who answers.
    Identify,
    /// In which forms records, or one record, can be had.
    ListMetadataFormats {
        /// The record.
        identifier: Option<String>,
    },
    /// What records can be selected by.
    ListSets,
    /// Headers of records.
    ListIdentifiers(Selection),
    /// Records.
    ListRecords(Selection),
    /// One record.
    GetRecord {
        /// Which.
        identifier: String,
        /// In which form.
        prefix: String,
    },
}

/// Which records a listing has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The form of their metadata.
    pub prefix: String,
    /// Changed at this second or later.
    pub from: Option<Timestamp>,
    /// Changed at this second or earlier.
    pub until: Option<Timestamp>,
    /// Members of this set.
    pub set: Option<String>,
    /// How far the listing has come; nothing at its beginning.
    pub position: Option<Position>,
}

impl Selection {
    /// The token by which a harvester goes on from a position.
    pub fn token(&self, position: Position) -> String {
        token::Token(&Self { position: Some(position), ..self.clone() }).to_string()
    }
}

impl OaiRequest {
    /// Reads a question from decoded name–value pairs.
    ///
    /// # Errors
    /// `badVerb`, `badArgument` and `badResumptionToken`, as the protocol has them.
    pub fn read(pairs: &[(String, String)]) -> Result<Self, OaiError> {
        let verbs: Vec<&str> = pairs.iter().filter(|(name, _)| name == "verb").map(|(_, verb)| verb.as_str()).collect();
        let &[verb] = verbs.as_slice() else {
            return Err(OaiError::new(OaiCode::BadVerb, "Ask with one 'verb', such as verb=Identify."));
        };
        let arguments = Arguments::read(pairs)?;
        match verb {
            "Identify" => arguments.only(&[]).map(|()| Self::Identify),
            "ListSets" => {
                arguments.only(&["resumptionToken"])?;
                // All sets come at once, so that no token can be ours.
                arguments.value("resumptionToken").map_or(Ok(Self::ListSets), |_| Err(no_sets()))
            }
            "ListMetadataFormats" => {
                arguments.only(&["identifier"])?;
                Ok(Self::ListMetadataFormats { identifier: arguments.value("identifier").map(str::to_owned) })
            }
            "GetRecord" => {
                arguments.only(&["identifier", "metadataPrefix"])?;
                let (identifier, prefix) = (arguments.required("identifier")?, arguments.required("metadataPrefix")?);
                Ok(Self::GetRecord { identifier: identifier.to_owned(), prefix: prefix.to_owned() })
            }
            "ListIdentifiers" => selection(&arguments).map(Self::ListIdentifiers),
            "ListRecords" => selection(&arguments).map(Self::ListRecords),
            _ => Err(OaiError::new(
                OaiCode::BadVerb,
                "The verbs are Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords and GetRecord.",
            )),
        }
    }
}

fn no_sets() -> OaiError {
    OaiError::new(OaiCode::BadResumptionToken, "All sets are listed at once; ask without a resumption token.")
}

fn selection(arguments: &Arguments<'_>) -> Result<Selection, OaiError> {
    if let Some(token) = arguments.value("resumptionToken") {
        arguments.only(&["resumptionToken"])?;
        return token::read(token);
    }
    arguments.only(&["metadataPrefix", "from", "until", "set"])?;
    let (from, until) = (arguments.value("from"), arguments.value("until"));
    if let (Some(from), Some(until)) = (from, until)
        && from.len() != until.len()
    {
        return Err(bad("'from' and 'until' are both days or both seconds."));
    }
    let from = from.map(|from| moment("from", from, "T00:00:00Z")).transpose()?;
    let until = until.map(|until| moment("until", until, "T23:59:59Z")).transpose()?;
    if let (Some(from), Some(until)) = (from, until)
        && from > until
    {
        return Err(bad("'from' is later than 'until'."));
    }
    let prefix = arguments.required("metadataPrefix")?.to_owned();
    Ok(Selection { prefix, from, until, set: arguments.value("set").map(str::to_owned), position: None })
}

/// A day or a second in UTC (§3.3).
fn moment(name: &str, text: &str, end: &str) -> Result<Timestamp, OaiError> {
    let wrong = || bad(&format!("'{name}' is a day or a second in UTC, such as 2026-11-21 or 2026-11-21T10:00:00Z."));
    let whole = if text.len() == 10 { format!("{text}{end}") } else { text.to_owned() };
    let read: Timestamp = whole.parse().map_err(|_| wrong())?;
    if read.to_string() == whole { Ok(read) } else { Err(wrong()) }
}

fn bad(message: &str) -> OaiError {
    OaiError::new(OaiCode::BadArgument, message)
}

struct Arguments<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Arguments<'a> {
    fn read(pairs: &'a [(String, String)]) -> Result<Self, OaiError> {
        let all = pairs.iter().filter(|(name, _)| name != "verb").map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = all.collect();
        let repeated = all.iter().enumerate().find(|(at, (name, _))| all[..*at].iter().any(|(other, _)| other == name));
        match repeated {
            Some((_, (name, _))) => Err(bad(&format!("'{name}' is given more than once."))),
            None => Ok(Self(all)),
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    fn required(&self, name: &str) -> Result<&'a str, OaiError> {
        self.value(name).ok_or_else(|| bad(&format!("'{name}' is needed.")))
    }

    fn only(&self, allowed: &[&str]) -> Result<(), OaiError> {
        match self.0.iter().find(|(name, _)| !allowed.contains(name)) {
            Some((name, _)) => Err(bad(&format!("'{name}' is no argument here."))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<OaiRequest, OaiError> {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        OaiRequest::read(&pairs)
    }

    #[test]
    fn every_wrong_question_has_the_protocols_name_for_it() {
        use OaiCode::{BadArgument, BadResumptionToken, BadVerb};
        for (query, code) in [
            ("", BadVerb),
            ("verb=Nonsense", BadVerb),
            ("verb=Identify&verb=Identify", BadVerb),
            ("verb=Identify&set=a", BadArgument),
            ("verb=ListRecords", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=yesterday", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01T00:00:00%2B01:00", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-01T00:00:00Z", BadArgument),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01", BadArgument),
            ("verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc", BadArgument),
            ("verb=ListRecords&resumptionToken=x", BadResumptionToken),
            ("verb=ListRecords&resumptionToken=5.5.0.YQ...", BadResumptionToken),
            ("verb=ListRecords&resumptionToken=5.01.0.YQ...", BadResumptionToken),
            ("verb=ListSets&resumptionToken=x", BadResumptionToken),
            ("verb=GetRecord&identifier=a", BadArgument),
        ] {
            assert_eq!(read(query).unwrap_err().code, code, "{query}");
        }
    }

    #[test]
    fn a_token_says_all_that_was_selected_and_how_far_it_is() {
        for query in [
            "verb=ListRecords&metadataPrefix=oai_dc",
            "verb=ListRecords&metadataPrefix=jpcoar_2.0&from=2026-01-01&until=2026-01-02&set=method:FBbi_00000246",
            "verb=ListRecords&metadataPrefix=oai_dc&until=2026-01-02T03:04:05Z&set=a.b-c",
        ] {
            let Ok(OaiRequest::ListRecords(selection)) = read(query) else { panic!("{query}") };
            let position = Position { size: 1000, next: 7, delivered: 5 };
            let token = selection.token(position);
            let Ok(OaiRequest::ListRecords(again)) = read(&format!("verb=ListRecords&resumptionToken={token}")) else {
                panic!("{token}")
            };
            assert_eq!(again, Selection { position: Some(position), ..selection });
        }
    }
}
