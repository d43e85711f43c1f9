//! The part of the OBO 1.2/1.4 flat file format that a catalogue needs.

use std::io::Read;

use super::{
    super::{build::Builder, term::Kind},
    Input, line,
};
use crate::{MetadataError, iri};

#[derive(PartialEq)]
enum Stanza {
    Header,
    /// A term; its IRI, once it was read.
    Term(String),
    Other,
}

pub(super) fn read<R: Read>(mut input: Input<R>, builder: &mut Builder) -> Result<(), MetadataError> {
    let mut stanza = Stanza::Header;
    let (mut buffer, mut number) = (Vec::new(), 0);
    while line(&mut input, &mut buffer).map_err(MetadataError::ontology_file)? {
        number += 1;
        let fault = |message: String| MetadataError::Ontology { line: number, message };
        let text = std::str::from_utf8(&buffer).map_err(|_| fault("it is not UTF-8 text".to_owned()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        match text {
            "" => {}
            _ if text.starts_with('!') => {}
            _ if text.starts_with('[') => {
                end(&stanza).map_err(fault)?;
                stanza = if text == "[Term]" { Stanza::Term(String::new()) } else { Stanza::Other };
            }
            _ => {
                let Some((tag, value)) = text.split_once(':') else {
                    let start: String = text.chars().take(60).collect();
                    return Err(fault(format!("expected 'tag: value', found '{start}'")));
                };
                take(builder, &mut stanza, tag, value.trim()).map_err(|error| match error {
                    Refusal::Fault(message) => fault(message),
                    Refusal::Failure(error) => error,
                })?;
            }
        }
    }
    end(&stanza).map_err(|message| MetadataError::Ontology { line: number, message })
}

fn end(stanza: &Stanza) -> Result<(), String> {
    match stanza {
        Stanza::Term(iri) if iri.is_empty() => Err("the [Term] before has no id".to_owned()),
        _ => Ok(()),
    }
}

enum Refusal {
    Fault(String),
    Failure(MetadataError),
}

impl From<MetadataError> for Refusal {
    fn from(error: MetadataError) -> Self {
        Self::Failure(error)
    }
}

fn take(builder: &mut Builder, stanza: &mut Stanza, tag: &str, value: &str) -> Result<(), Refusal> {
    match stanza {
        Stanza::Header => header(builder, tag, value),
        Stanza::Term(iri) if tag == "id" => {
            if !iri.is_empty() {
                return Err(Refusal::Fault("this [Term] has a second id".to_owned()));
            }
            *iri = identifier(value);
            builder.say(iri, Kind::Class, "")?;
        }
        Stanza::Term(iri) if iri.is_empty() => {
            return Err(Refusal::Fault(format!("'{tag}' comes before the id of its [Term]")));
        }
        Stanza::Term(iri) => say(builder, iri, tag, value)?,
        Stanza::Other => {}
    }
    Ok(())
}

fn header(builder: &mut Builder, tag: &str, value: &str) {
    match tag {
        "ontology" => builder.itself = Some(value.to_owned()),
        "data-version" => builder.version = Some(value.to_owned()),
        "property_value" => {
            let mut words = value.split_whitespace();
            let is_licence = words.next().is_some_and(|property| property.ends_with("license"));
            builder.licence = builder
                .licence
                .take()
                .or_else(|| words.next().filter(|_| is_licence).map(|word| word.trim_matches('"').to_owned()));
        }
        _ => {}
    }
}

fn say(builder: &mut Builder, iri: &str, tag: &str, value: &str) -> Result<(), MetadataError> {
    match tag {
        "name" => builder.say(iri, Kind::Label, &plain(value)),
        "def" => quoted(value).map_or(Ok(()), |(text, _)| builder.say(iri, Kind::Definition, &text)),
        "synonym" => quoted(value).map_or(Ok(()), |(text, rest)| builder.say(iri, scope(rest), &text)),
        "is_a" | "equivalent_to" => builder.say(iri, Kind::Parent, &identifier(value)),
        // A genus stands alone, a differentia is a relation and its target.
        "intersection_of" if is_alone(value) => builder.say(iri, Kind::Parent, &identifier(value)),
        "alt_id" => builder.say_merged(&identifier(value), iri),
        "is_obsolete" if value.starts_with("true") => builder.say(iri, Kind::Deprecated, ""),
        "replaced_by" => builder.say(iri, Kind::ReplacedBy, &identifier(value)),
        _ => Ok(()),
    }
}

fn is_alone(value: &str) -> bool {
    let value = value.split(['!', '{']).next().unwrap_or_default();
    value.split_whitespace().count() == 1
}

/// An id without its `! comment` and `{qualifiers}`, as an IRI.
fn identifier(value: &str) -> String {
    let id = value.split([' ', '\t', '!', '{']).next().unwrap_or_default();
    iri::obo_iri(id)
}

/// What a synonym's scope is; `RELATED` where it says none, as the format has it.
fn scope(rest: &str) -> Kind {
    match rest.split_whitespace().next() {
        Some("EXACT") => Kind::Exact,
        Some("NARROW") => Kind::Narrow,
        Some("BROAD") => Kind::Broad,
        _ => Kind::Related,
    }
}

/// Text without escapes.
fn plain(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character == '\\' { text.extend(characters.next().map(unescaped)) } else { text.push(character) }
    }
    text
}

fn unescaped(character: char) -> char {
    match character {
        'n' => '\n',
        't' => '\t',
        'W' => ' ',
        other => other,
    }
}

/// The text between the first pair of double quotes without escapes, and what follows it.
fn quoted(value: &str) -> Option<(String, &str)> {
    let start = value.find('"')? + 1;
    let mut text = String::new();
    let mut characters = value.get(start..)?.char_indices();
    loop {
        match characters.next()? {
            (_, '\\') => text.push(unescaped(characters.next()?.1)),
            (at, '"') => return Some((text, value.get(start + at + 1..)?)),
            (_, other) => text.push(other),
        }
    }
}
