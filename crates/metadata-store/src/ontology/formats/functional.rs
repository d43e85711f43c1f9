//! OWL 2 functional-style syntax, as far as classes need it.

use std::{
    collections::HashMap,
    io::{self, BufRead, Read},
};

use super::{
    super::{build::Builder, term::Kind},
    Input,
    rdf::{Says, meaning},
};
use crate::{MetadataError, iri};

/// How deeply expressions may be nested.
const MAX_NESTING: usize = 64;
/// The most parts of one axiom.
const MAX_PARTS: usize = 10_000;
/// The most prefixes a file may declare.
const MAX_PREFIXES: usize = 1000;
/// The most classes that one axiom may call equivalent.
const MAX_EQUIVALENT: usize = 100;

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Equals,
    /// `<…>`, without the brackets.
    Iri(String),
    /// A keyword or an abbreviated IRI.
    Name(String),
    /// A literal's text, and whether it is in a language other than English.
    Text(String, bool),
}

enum Expression {
    Iri(String),
    Text(String, bool),
    Call(String, Vec<Expression>),
}

pub(super) fn read<R: Read>(input: Input<R>, builder: &mut Builder) -> Result<(), MetadataError> {
    let mut file = Reader { input, line: 1, prefixes: HashMap::new(), peeked: None };
    while let Some(token) = file.token()? {
        match token {
            Token::Name(word) if word == "Prefix" => file.prefix()?,
            Token::Name(word) if word == "Ontology" => return file.ontology(builder),
            _ => return Err(file.fault("expected Prefix( or Ontology(")),
        }
    }
    Err(file.fault("there is no Ontology( in it"))
}

struct Reader<R: Read> {
    input: Input<R>,
    line: usize,
    prefixes: HashMap<String, String>,
    peeked: Option<Token>,
}

impl<R: Read> Reader<R> {
    fn fault(&self, message: impl Into<String>) -> MetadataError {
        MetadataError::Ontology { line: self.line, message: message.into() }
    }

    fn prefix(&mut self) -> Result<(), MetadataError> {
        self.require(&Token::Open)?;
        // The empty prefix is written `:=`, others `name:=`.
        let (Some(Token::Name(name)), Some(Token::Equals), Some(Token::Iri(iri))) =
            (self.token()?, self.token()?, self.token()?)
        else {
            return Err(self.fault("expected Prefix(name:=<IRI>)"));
        };
        if self.prefixes.len() >= MAX_PREFIXES {
            return Err(self.fault(format!("there are more than {MAX_PREFIXES} prefixes")));
        }
        self.prefixes.insert(name.trim_end_matches(':').to_owned(), iri);
        self.require(&Token::Close)
    }

    fn ontology(&mut self, builder: &mut Builder) -> Result<(), MetadataError> {
        self.require(&Token::Open)?;
        loop {
            self.input.progress.statement();
            match self.token()? {
                Some(Token::Close) => return Ok(()),
                Some(Token::Iri(iri)) if builder.itself.is_none() => builder.itself = Some(iri),
                Some(Token::Iri(iri)) => builder.version = Some(iri),
                Some(Token::Name(word)) => {
                    let mut left = MAX_PARTS;
                    let parts = self.call(MAX_NESTING, &mut left)?;
                    take(&word, &parts, builder).map_err(|fault| match fault {
                        Fault::Said(message) => self.fault(message),
                        Fault::Failed(error) => error,
                    })?;
                }
                Some(_) => return Err(self.fault("expected an axiom")),
                None => return Err(self.fault("the file ends in the middle of the ontology")),
            }
        }
    }

    /// The parts of an expression, from its opening bracket to its closing one.
    fn call(&mut self, deeper: usize, left: &mut usize) -> Result<Vec<Expression>, MetadataError> {
        self.require(&Token::Open)?;
        let mut parts = Vec::new();
        loop {
            if *left == 0 || deeper == 0 {
                return Err(
                    self.fault(format!("an axiom has more than {MAX_PARTS} parts, or more than {MAX_NESTING} levels"))
                );
            }
            *left -= 1;
            match self.token()? {
                Some(Token::Close) => return Ok(parts),
                Some(Token::Iri(iri)) => parts.push(Expression::Iri(iri)),
                Some(Token::Text(text, foreign)) => parts.push(Expression::Text(text, foreign)),
                Some(Token::Name(name)) => {
                    self.peeked = self.token()?;
                    let part = match self.peeked {
                        Some(Token::Open) => Expression::Call(name, self.call(deeper - 1, left)?),
                        _ => Expression::Iri(self.expand(&name)),
                    };
                    parts.push(part);
                }
                Some(Token::Open | Token::Equals) => {
                    return Err(self.fault("a bracket or '=' without a word before it"));
                }
                None => return Err(self.fault("the file ends in the middle of an axiom")),
            }
        }
    }

    /// An abbreviated IRI in full; what has no prefix, such as a number, as it is.
    fn expand(&self, name: &str) -> String {
        let known = name.split_once(':').and_then(|(prefix, local)| Some((self.prefixes.get(prefix)?, local)));
        known.map_or_else(|| name.to_owned(), |(start, local)| format!("{start}{local}"))
    }

    fn require(&mut self, wanted: &Token) -> Result<(), MetadataError> {
        if self.token()?.as_ref() == Some(wanted) {
            Ok(())
        } else {
            Err(self.fault(format!("expected {wanted:?} here")))
        }
    }

    fn token(&mut self) -> Result<Option<Token>, MetadataError> {
        if let Some(token) = self.peeked.take() {
            return Ok(Some(token));
        }
        self.lex().map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => self.fault(error.to_string()),
            _ => MetadataError::ontology_file(error),
        })
    }

    fn lex(&mut self) -> io::Result<Option<Token>> {
        while let Some(byte) = self.next()? {
            return Ok(Some(match byte {
                b'(' => Token::Open,
                b')' => Token::Close,
                b'=' => Token::Equals,
                b'<' => Token::Iri(self.until(b'>')?),
                b'"' => self.literal()?,
                b'#' => {
                    self.skip_line()?;
                    continue;
                }
                byte if byte.is_ascii_whitespace() => continue,
                byte => Token::Name(self.word(byte)?),
            }));
        }
        Ok(None)
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.reader.consume(1);
        }
        self.line += usize::from(byte == Some(b'\n'));
        Ok(byte)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.reader.fill_buf()?.first().copied())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while self.next()?.is_some_and(|byte| byte != b'\n') {}
        Ok(())
    }

    fn until(&mut self, end: u8) -> io::Result<String> {
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                Some(byte) if byte == end => return text(bytes),
                Some(byte) => bytes.push(byte),
                None => return Err(invalid("the file ends in the middle of an IRI")),
            }
        }
    }

    fn word(&mut self, first: u8) -> io::Result<String> {
        let mut bytes = vec![first];
        while let Some(byte) = self.peek()?.filter(|byte| !byte.is_ascii_whitespace() && !b"()<>\"=".contains(byte)) {
            self.next()?;
            bytes.push(byte);
        }
        text(bytes)
    }

    fn literal(&mut self) -> io::Result<Token> {
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                Some(b'"') => break,
                Some(b'\\') => bytes.extend(self.next()?),
                Some(byte) => bytes.push(byte),
                None => return Err(invalid("the file ends in the middle of a text")),
            }
        }
        let mut foreign = false;
        match self.peek()? {
            Some(b'@') => {
                let at = self.next()?.unwrap_or_default();
                let language = self.word(at)?;
                foreign = !(language == "@en" || language.starts_with("@en-"));
            }
            Some(b'^') => {
                let caret = self.next()?.unwrap_or_default();
                self.word(caret)?;
                if self.peek()? == Some(b'<') {
                    self.next()?;
                    self.until(b'>')?;
                }
            }
            _ => {}
        }
        Ok(Token::Text(text(bytes)?, foreign))
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8 text"))
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

enum Fault {
    Said(String),
    Failed(MetadataError),
}

impl From<MetadataError> for Fault {
    fn from(error: MetadataError) -> Self {
        Self::Failed(error)
    }
}

fn take(axiom: &str, parts: &[Expression], builder: &mut Builder) -> Result<(), Fault> {
    let annotated =
        parts.iter().take_while(|part| matches!(part, Expression::Call(word, _) if word == "Annotation")).count();
    let parts = parts.get(annotated..).unwrap_or_default();
    match (axiom, parts) {
        ("Declaration", [Expression::Call(kind, of)]) if kind == "Class" => {
            if let [Expression::Iri(class)] = of.as_slice() {
                builder.say(class, Kind::Class, "")?;
            }
        }
        ("SubClassOf", [Expression::Iri(class), above]) => say_above(class, above, builder)?,
        ("EquivalentClasses", classes) => {
            if classes.len() > MAX_EQUIVALENT {
                return Err(Fault::Said(format!("more than {MAX_EQUIVALENT} classes are called equivalent at once")));
            }
            for (at, class) in classes.iter().enumerate() {
                let Expression::Iri(class) = class else { continue };
                for (_, other) in classes.iter().enumerate().filter(|(other, _)| *other != at) {
                    say_above(class, other, builder)?;
                }
            }
        }
        ("AnnotationAssertion", [Expression::Iri(property), Expression::Iri(subject), value]) => {
            say_value(property, subject, value, builder)?;
        }
        ("Annotation", [Expression::Iri(property), value]) => say_of_ontology(property, value, builder),
        _ => {}
    }
    Ok(())
}

fn say_above(class: &str, above: &Expression, builder: &mut Builder) -> Result<(), MetadataError> {
    match above {
        Expression::Iri(above) => builder.say(class, Kind::Parent, above),
        Expression::Call(word, parts) if word == "ObjectIntersectionOf" => {
            parts.iter().try_for_each(|part| say_above(class, part, builder))
        }
        _ => Ok(()),
    }
}

fn say_value(property: &str, subject: &str, value: &Expression, builder: &mut Builder) -> Result<(), MetadataError> {
    let (text, foreign) = match value {
        Expression::Text(text, foreign) => (text, *foreign),
        Expression::Iri(iri) => (iri, false),
        Expression::Call(..) => return Ok(()),
    };
    match meaning(property) {
        Some(Says::Text(Kind::Label)) if foreign => builder.say(subject, Kind::Exact, text),
        Some(Says::Text(kind)) if matches!(value, Expression::Text(..)) => builder.say(subject, kind, text),
        Some(Says::Deprecated) if text == "true" || text == "1" => builder.say(subject, Kind::Deprecated, ""),
        Some(Says::ReplacedBy) => builder.say(subject, Kind::ReplacedBy, &iri::obo_iri(text.trim())),
        Some(Says::Alternative) => builder.say_merged(&iri::obo_iri(text.trim()), subject),
        _ => Ok(()),
    }
}

fn say_of_ontology(property: &str, value: &Expression, builder: &mut Builder) {
    let (Expression::Text(text, _) | Expression::Iri(text)) = value else { return };
    match meaning(property) {
        Some(Says::Version) => builder.version = builder.version.take().or_else(|| Some(text.clone())),
        Some(Says::Licence) => builder.licence = builder.licence.take().or_else(|| Some(text.clone())),
        _ => {}
    }
}
