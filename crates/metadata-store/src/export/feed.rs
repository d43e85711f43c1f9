//! A log as an event stream that others follow: [LDES](https://w3id.org/ldes/specification), in the profile of
//! [DCAT-AP feeds](https://semiceu.github.io/LDES-DCAT-AP-feeds/). Each member is an activity, and its payload stands in
//! the graph named by it.

use dataset_model::Timestamp;
use oxigraph::io::RdfSerializer;
use oxrdf::{GraphName, Literal, NamedNode, Quad, Triple, vocab::rdf, vocab::xsd};

use super::{ExportRecord, dcat};
use crate::{MetadataError, ResultFormat};

const LDES: &str = "https://w3id.org/ldes#";
const TREE: &str = "https://w3id.org/tree#";
const ACTIVITY: &str = "https://www.w3.org/ns/activitystreams#";
const DCT: &str = "http://purl.org/dc/terms/";
/// The shape that members of a DCAT-AP feed have.
const SHAPE: &str = "https://semiceu.github.io/LDES-DCAT-AP-feeds/shape.ttl#ActivityShape";

/// What an entry of the log did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedActivity {
    /// A dataset was not there before.
    Create,
    /// It was, and says something else now.
    Update,
    /// It was withdrawn.
    Delete,
}

/// One member of the stream.
#[derive(Debug)]
pub struct FeedMember {
    /// Its IRI.
    pub iri: String,
    /// What happened.
    pub activity: FeedActivity,
    /// The page of the dataset it happened to.
    pub object: String,
    /// When.
    pub published: FeedTime,
    /// What the dataset's record said then; nothing for a withdrawal, and for what was withdrawn since.
    pub payload: Option<ExportRecord>,
}

/// When something happened: the second, and the entry's place among those of that second. It is written as a moment, one
/// millisecond after the other, so that what happened within a second has an order that every reader understands; the shape
/// of DCAT-AP feeds is closed, and has no room for a number beside the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedTime {
    /// The second.
    pub time: Timestamp,
    /// The entry's place among those of that second, from 0.
    pub place: u64,
}

/// A link to another page of the stream, and the moments between which its members are.
#[derive(Debug, Clone)]
pub struct FeedRelation {
    /// The page.
    pub node: String,
    /// The time of its first member.
    pub from: FeedTime,
    /// The time of its last member, where no more will come.
    pub until: Option<FeedTime>,
}

/// A page of the stream.
#[derive(Debug)]
pub struct FeedPage {
    /// Its address.
    pub url: String,
    /// The address of the first page.
    pub root: String,
    /// What the stream is called.
    pub title: String,
    /// Seconds after which to look again.
    pub polling_seconds: u32,
    /// Whether members and links of the page will stay as they are.
    pub is_final: bool,
    /// What happened, in order.
    pub members: Vec<FeedMember>,
    /// Other pages.
    pub relations: Vec<FeedRelation>,
}

impl FeedPage {
    /// The page in a syntax that has graphs: `TriG` or JSON-LD.
    ///
    /// # Errors
    /// When the syntax has no graphs, or an address is no IRI.
    pub fn write(&self, format: ResultFormat) -> Result<Vec<u8>, MetadataError> {
        let graphs = matches!(format, ResultFormat::TriG | ResultFormat::JsonLd);
        let syntax = format.rdf().filter(|_| graphs);
        let syntax = syntax.ok_or(MetadataError::Format { format: format.media_type() })?;
        let prefixes =
            [("ldes", LDES), ("tree", TREE), ("as", ACTIVITY), ("dct", DCT), ("dcat", "http://www.w3.org/ns/dcat#")];
        let serializer = prefixes.iter().fold(RdfSerializer::from_format(syntax), |serializer, (name, iri)| {
            // A constant that were no IRI would only cost its prefix.
            let plain = serializer.clone();
            serializer.with_prefix(*name, *iri).unwrap_or(plain)
        });
        let mut writer = serializer.for_writer(Vec::new());
        for quad in self.quads()? {
            writer.serialize_quad(&quad).map_err(MetadataError::write)?;
        }
        writer.finish().map_err(MetadataError::write)
    }

    /// Graph after graph, so that each is written in one piece.
    fn quads(&self) -> Result<Vec<Quad>, MetadataError> {
        let (stream, page) = (node(&format!("{}#stream", self.root))?, node(&self.url)?);
        let mut quads = Quads(Vec::new());
        self.describe(&stream, &mut quads)?;
        if self.is_final {
            quads.add(&page, ldes("immutable")?, Literal::from(true));
        }
        for (at, relation) in self.relations.iter().enumerate() {
            self.relate(&page, at, relation, &mut quads)?;
        }
        for member in &self.members {
            let iri = node(&member.iri)?;
            let activity = match member.activity {
                FeedActivity::Create => "Create",
                FeedActivity::Update => "Update",
                FeedActivity::Delete => "Delete",
            };
            quads.add(&stream, tree("member")?, iri.clone());
            quads.add(&iri, rdf::TYPE.into_owned(), activities(activity)?);
            quads.add(&iri, activities("object")?, node(&member.object)?);
            quads.add(&iri, activities("published")?, moment(member.published));
        }
        for member in &self.members {
            let Some(record) = &member.payload else { continue };
            let graph = GraphName::from(node(&member.iri)?);
            let triples = dcat::triples(&dcat::feed_document(record, &member.object))?;
            quads.0.extend(triples.into_iter().map(|triple: Triple| triple.in_graph(graph.clone())));
        }
        Ok(quads.0)
    }

    fn describe(&self, stream: &NamedNode, quads: &mut Quads) -> Result<(), MetadataError> {
        quads.add(stream, rdf::TYPE.into_owned(), ldes("EventStream")?);
        quads.add(stream, node(&format!("{DCT}title"))?, Literal::from(self.title.as_str()));
        quads.add(stream, tree("view")?, node(&self.root)?);
        quads.add(stream, tree("shape")?, node(SHAPE)?);
        quads.add(stream, ldes("timestampPath")?, activities("published")?);
        quads.add(stream, ldes("versionOfPath")?, activities("object")?);
        quads.add(stream, ldes("versionCreateObject")?, activities("Create")?);
        quads.add(stream, ldes("versionUpdateObject")?, activities("Update")?);
        quads.add(stream, ldes("versionDeleteObject")?, activities("Delete")?);
        quads.add(stream, ldes("pollingInterval")?, Literal::from(i64::from(self.polling_seconds)));
        Ok(())
    }

    /// Two relations to one page are its bounds. Nothing stays without a name: the same page always gives the same bytes.
    fn relate(
        &self,
        page: &NamedNode,
        at: usize,
        relation: &FeedRelation,
        quads: &mut Quads,
    ) -> Result<(), MetadataError> {
        let lower = ("GreaterThanOrEqualToRelation", "from", Some(relation.from));
        let upper = ("LessThanOrEqualToRelation", "until", relation.until);
        for (kind, name, value) in [lower, upper] {
            let Some(value) = value else { continue };
            let bound = node(&format!("{}#{name}-{at}", self.url))?;
            quads.add(page, tree("relation")?, bound.clone());
            quads.add(&bound, rdf::TYPE.into_owned(), tree(kind)?);
            quads.add(&bound, tree("path")?, activities("published")?);
            quads.add(&bound, tree("value")?, moment(value));
            quads.add(&bound, tree("node")?, node(&relation.node)?);
        }
        Ok(())
    }
}

struct Quads(Vec<Quad>);

impl Quads {
    fn add(&mut self, subject: &NamedNode, predicate: NamedNode, object: impl Into<oxrdf::Term>) {
        self.0.push(Quad::new(subject.clone(), predicate, object, GraphName::DefaultGraph));
    }
}

fn moment(time: FeedTime) -> Literal {
    let second = time.time.to_string();
    // From the thousandth on, readers that round to milliseconds see no order any more.
    let (milliseconds, rest) = (time.place.min(999), time.place.saturating_sub(999).min(999_999));
    let text = format!("{}.{milliseconds:03}{rest:06}Z", second.trim_end_matches('Z'));
    Literal::new_typed_literal(text, xsd::DATE_TIME)
}

fn node(iri: &str) -> Result<NamedNode, MetadataError> {
    NamedNode::new(iri).map_err(MetadataError::write)
}

fn ldes(name: &str) -> Result<NamedNode, MetadataError> {
    node(&format!("{LDES}{name}"))
}

fn tree(name: &str) -> Result<NamedNode, MetadataError> {
    node(&format!("{TREE}{name}"))
}

fn activities(name: &str) -> Result<NamedNode, MetadataError> {
    node(&format!("{ACTIVITY}{name}"))
}
