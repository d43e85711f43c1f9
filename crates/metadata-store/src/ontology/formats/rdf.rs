//! OWL as triples: RDF/XML, Turtle and N-Triples.

use std::{collections::HashMap, io::Read};

use oxigraph::{
    io::{RdfFormat, RdfParser},
    model::{BlankNode, Literal, NamedOrBlankNode, Quad, Term},
};

use super::{
    super::{build::Builder, term::Kind},
    Input,
};
use crate::{MetadataError, iri};

/// The most statements about classes without a name that are kept until the end, when it is known what they are.
const MAX_ANONYMOUS: usize = 1_000_000;
/// How deeply intersections may be nested in each other.
const MAX_NESTING: usize = 16;
/// The most members of one intersection, those of intersections within it included.
const MAX_MEMBERS: usize = 1000;

const OWL: &str = "http://www.w3.org/2002/07/owl#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
const OBO_IN_OWL: &str = "http://www.geneontology.org/formats/oboInOwl#";
const DC_TERMS: &str = "http://purl.org/dc/terms/";

/// What is a class.
const CLASSES: [&str; 5] = [
    "http://www.w3.org/2002/07/owl#Class",
    "http://www.w3.org/2000/01/rdf-schema#Class",
    "http://www.w3.org/2004/02/skos/core#Concept",
    "http://schema.org/Taxon",
    "https://schema.org/Taxon",
];

/// What a predicate says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Text(Kind),
    Above,
    Equivalent,
    Deprecated,
    ReplacedBy,
    Alternative,
    Intersection,
    Type,
    First,
    Rest,
    Version,
    Licence,
}

/// What a predicate says about a term, if anything.
pub(super) fn meaning(predicate: &str) -> Option<Says> {
    let local = |base: &str| predicate.strip_prefix(base);
    if let Some(name) = local(RDFS) {
        return match name {
            "label" => Some(Says::Text(Kind::Label)),
            "subClassOf" => Some(Says::Above),
            _ => None,
        };
    }
    if let Some(name) = local(OBO_IN_OWL) {
        return match name {
            "hasExactSynonym" => Some(Says::Text(Kind::Exact)),
            "hasNarrowSynonym" => Some(Says::Text(Kind::Narrow)),
            "hasBroadSynonym" => Some(Says::Text(Kind::Broad)),
            "hasRelatedSynonym" => Some(Says::Text(Kind::Related)),
            "hasAlternativeId" => Some(Says::Alternative),
            _ => None,
        };
    }
    if let Some(name) = local(OWL) {
        return match name {
            "equivalentClass" => Some(Says::Equivalent),
            "deprecated" => Some(Says::Deprecated),
            "intersectionOf" => Some(Says::Intersection),
            "versionIRI" | "versionInfo" => Some(Says::Version),
            _ => None,
        };
    }
    if let Some(name) = local(RDF) {
        return match name {
            "type" => Some(Says::Type),
            "first" => Some(Says::First),
            "rest" => Some(Says::Rest),
            _ => None,
        };
    }
    if let Some(name) = local(SKOS) {
        return match name {
            "prefLabel" => Some(Says::Text(Kind::Label)),
            "altLabel" => Some(Says::Text(Kind::Exact)),
            "definition" => Some(Says::Text(Kind::Definition)),
            "broader" => Some(Says::Above),
            _ => None,
        };
    }
    match predicate {
        "http://purl.obolibrary.org/obo/IAO_0000115" => Some(Says::Text(Kind::Definition)),
        "http://purl.obolibrary.org/obo/IAO_0000118" | "http://rs.tdwg.org/dwc/terms/vernacularName" => {
            Some(Says::Text(Kind::Exact))
        }
        "http://purl.obolibrary.org/obo/IAO_0100001" => Some(Says::ReplacedBy),
        _ => match local(DC_TERMS) {
            Some("license") => Some(Says::Licence),
            Some("isReplacedBy") => Some(Says::ReplacedBy),
            _ => None,
        },
    }
}

pub(super) fn read<R: Read>(input: Input<R>, format: RdfFormat, builder: &mut Builder) -> Result<(), MetadataError> {
    let Input { reader, progress } = input;
    let mut anonymous = Anonymous::default();
    for quad in RdfParser::from_format(format).for_reader(reader) {
        let quad = quad.map_err(|error| MetadataError::ontology(format!("as {}: {error}", format.name())))?;
        progress.statement();
        take(&quad, builder, &mut anonymous)?;
    }
    anonymous.finish(builder)
}

fn take(quad: &Quad, builder: &mut Builder, anonymous: &mut Anonymous) -> Result<(), MetadataError> {
    let Some(says) = meaning(quad.predicate.as_str()) else { return Ok(()) };
    match (&quad.subject, &quad.object) {
        (NamedOrBlankNode::NamedNode(subject), object) => named(subject.as_str(), says, object, builder, anonymous),
        (NamedOrBlankNode::BlankNode(subject), object) => anonymous.take(subject, says, object),
    }
}

fn named(
    subject: &str,
    says: Says,
    object: &Term,
    builder: &mut Builder,
    anonymous: &mut Anonymous,
) -> Result<(), MetadataError> {
    match (says, object) {
        (Says::Text(kind), Term::Literal(text)) => builder.say(subject, of_language(kind, text), text.value()),
        (Says::Above, Term::NamedNode(above)) => builder.say(subject, Kind::Parent, above.as_str()),
        (Says::Equivalent, Term::NamedNode(other)) => {
            builder.say(subject, Kind::Parent, other.as_str())?;
            builder.say(other.as_str(), Kind::Parent, subject)
        }
        (Says::Above | Says::Equivalent, Term::BlankNode(class)) => anonymous.above(subject, class),
        // A class may also be an intersection itself.
        (Says::Intersection, Term::BlankNode(list)) => anonymous.is_intersection(subject, list),
        (Says::Deprecated, Term::Literal(value)) if value.value() == "true" || value.value() == "1" => {
            builder.say(subject, Kind::Deprecated, "")
        }
        (Says::ReplacedBy, object) => id(object).map_or(Ok(()), |other| builder.say(subject, Kind::ReplacedBy, &other)),
        (Says::Alternative, object) => id(object).map_or(Ok(()), |other| builder.say_merged(&other, subject)),
        (Says::Type, Term::NamedNode(class)) if CLASSES.contains(&class.as_str()) => {
            builder.say(subject, Kind::Class, "")
        }
        (Says::Type, Term::NamedNode(class)) if class.as_str() == "http://www.w3.org/2002/07/owl#Ontology" => {
            builder.itself = builder.itself.take().or_else(|| Some(subject.to_owned()));
            Ok(())
        }
        (Says::Version, object) if builder.itself.as_deref() == Some(subject) => {
            builder.version = builder.version.take().or_else(|| text(object));
            Ok(())
        }
        (Says::Licence, object) if builder.itself.as_deref() == Some(subject) => {
            builder.licence = builder.licence.take().or_else(|| text(object));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Names in other languages than English are synonyms.
pub(super) fn of_language(kind: Kind, text: &Literal) -> Kind {
    let english = text.language().is_none_or(|language| language == "en" || language.starts_with("en-"));
    if kind == Kind::Label && !english { Kind::Exact } else { kind }
}

/// The IRI an object is, or names in short.
fn id(object: &Term) -> Option<String> {
    text(object).map(|text| iri::obo_iri(text.trim()))
}

fn text(object: &Term) -> Option<String> {
    match object {
        Term::NamedNode(node) => Some(node.as_str().to_owned()),
        Term::Literal(literal) => Some(literal.value().to_owned()),
        Term::BlankNode(_) => None,
    }
}

/// Statements about classes without a name. Triples come in any order, so what they are is known at the end.
#[derive(Default)]
struct Anonymous {
    /// Named classes below, or equal to, a class without a name; or that are an intersection, by its list.
    below: Vec<(String, BlankNode)>,
    intersections: HashMap<BlankNode, BlankNode>,
    first: HashMap<BlankNode, Member>,
    rest: HashMap<BlankNode, BlankNode>,
}

enum Member {
    Named(String),
    Anonymous(BlankNode),
}

impl Anonymous {
    fn room(&self) -> Result<(), MetadataError> {
        if self.below.len() + self.intersections.len() + self.first.len() + self.rest.len() < MAX_ANONYMOUS {
            return Ok(());
        }
        Err(MetadataError::ontology(format!(
            "it has more than {MAX_ANONYMOUS} statements about classes without a name: load its OBO or functional form"
        )))
    }

    fn above(&mut self, subject: &str, class: &BlankNode) -> Result<(), MetadataError> {
        self.room()?;
        self.below.push((subject.to_owned(), class.clone()));
        Ok(())
    }

    fn is_intersection(&mut self, subject: &str, list: &BlankNode) -> Result<(), MetadataError> {
        self.room()?;
        self.intersections.insert(list.clone(), list.clone());
        self.below.push((subject.to_owned(), list.clone()));
        Ok(())
    }

    fn take(&mut self, subject: &BlankNode, says: Says, object: &Term) -> Result<(), MetadataError> {
        match (says, object) {
            (Says::Intersection, Term::BlankNode(list)) => {
                drop(self.intersections.insert(subject.clone(), list.clone()))
            }
            (Says::First, Term::NamedNode(node)) => {
                drop(self.first.insert(subject.clone(), Member::Named(node.as_str().to_owned())));
            }
            (Says::First, Term::BlankNode(node)) => {
                drop(self.first.insert(subject.clone(), Member::Anonymous(node.clone())))
            }
            (Says::Rest, Term::BlankNode(next)) => drop(self.rest.insert(subject.clone(), next.clone())),
            _ => return Ok(()),
        }
        self.room()
    }

    /// Says that each class is below the named parts of the intersections above it.
    fn finish(self, builder: &mut Builder) -> Result<(), MetadataError> {
        for (subject, class) in &self.below {
            let (mut named, mut left) = (Vec::new(), MAX_MEMBERS);
            self.named_parts(class, MAX_NESTING, &mut left, &mut named);
            for part in named {
                builder.say(subject, Kind::Parent, part)?;
            }
        }
        Ok(())
    }

    fn named_parts<'a>(&'a self, class: &BlankNode, deeper: usize, left: &mut usize, named: &mut Vec<&'a str>) {
        let mut cell = self.intersections.get(class).filter(|_| deeper > 0);
        while let Some(next) = cell.filter(|_| *left > 0) {
            *left -= 1;
            match self.first.get(next) {
                Some(Member::Named(iri)) => named.push(iri),
                Some(Member::Anonymous(class)) => self.named_parts(class, deeper - 1, left, named),
                None => {}
            }
            cell = self.rest.get(next);
        }
    }
}
