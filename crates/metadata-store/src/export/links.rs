use super::{ExportFormat, ExportRecord, identifiers::web};

/// As many bytes the links may have in header fields, which servers between limit; the link set has all.
const HEADER: usize = 4096;
/// As many images the link set names; the crate has all.
const ITEMS: usize = 10_000;

/// A typed link of FAIR Signposting (RFC 8288).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedLink {
    /// What it leads to.
    pub target: String,
    /// How that relates to where the link starts.
    pub relation: &'static str,
    /// The media type of what it leads to.
    pub media_type: Option<&'static str>,
    /// The profile of what it leads to.
    pub profile: Option<&'static str>,
}

impl TypedLink {
    fn new(target: &str, relation: &'static str) -> Option<Self> {
        Some(Self { target: web(target)?, relation, media_type: None, profile: None })
    }

    /// The link as a header field has it. Nothing in an address can end the field: it went through the URL parser.
    pub fn header(&self) -> String {
        let mut text = format!("<{}>; rel=\"{}\"", self.target, self.relation);
        if let Some(media_type) = self.media_type {
            text.push_str(&format!("; type=\"{media_type}\""));
        }
        if let Some(profile) = self.profile {
            text.push_str(&format!("; profile=\"{profile}\""));
        }
        text
    }
}

impl ExportRecord {
    /// Everything a machine may follow from the record's page: the forms it comes in, licence, authors and images, in order
    /// of worth.
    pub fn links(&self) -> Vec<TypedLink> {
        let summary = &self.summary;
        let link = |target: &str, relation| TypedLink::new(target, relation);
        let mut links: Vec<Option<TypedLink>> = vec![
            link(&self.cite_as(), "cite-as"),
            link("https://schema.org/Dataset", "type"),
            link("https://schema.org/AboutPage", "type"),
        ];
        links.push(summary.licence.as_ref().and_then(|licence| link(&licence.url, "license")));
        let sets = [ExportFormat::LinkSetJson, ExportFormat::LinkSet];
        links.extend(sets.map(|format| self.form(format, "linkset")));
        let forms = ExportFormat::ALL.into_iter().filter(|format| format.is_description());
        links.extend(forms.map(|format| self.form(format, "describedby")));
        links.extend(summary.authors.iter().filter_map(|author| link(author.orcid.as_deref()?, "author")).map(Some));
        links.extend(self.images.iter().take(ITEMS).map(|image| {
            Some(TypedLink { media_type: Some("application/json"), ..link(&image.metadata_url(), "item")? })
        }));
        links.into_iter().flatten().collect()
    }

    /// As many of the links as header fields take. Several are one field, so that a proxy's count of fields is not met.
    pub fn header_links(&self) -> Vec<TypedLink> {
        let mut bytes = 0;
        let fits = |link: &TypedLink| {
            bytes += link.header().len() + 2;
            bytes <= HEADER
        };
        self.links().into_iter().take_while(fits).collect()
    }

    fn form(&self, format: ExportFormat, relation: &'static str) -> Option<TypedLink> {
        let link = TypedLink::new(&self.export_url(format), relation)?;
        Some(TypedLink { media_type: Some(format.media_type()), profile: format.profile(), ..link })
    }
}
