/// A form that a record can be had in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// RO-Crate 1.2, detached: its root is the dataset's page.
    RoCrate,
    /// schema.org `Dataset`, as Google and Bioschemas read it.
    SchemaOrg,
    /// `MLCommons` Croissant 1.1.
    Croissant,
    /// `DataCite` metadata schema 4, JSON as its API has it.
    DataCiteJson,
    /// `DataCite` metadata schema 4.7, XML.
    DataCiteXml,
    /// DCAT-AP 3 in Turtle.
    DcatTurtle,
    /// DCAT-AP 3 in JSON-LD.
    DcatJsonLd,
    /// Unqualified Dublin Core, as OAI-PMH has it.
    DublinCore,
    /// JPCOAR schema 2.0.
    Jpcoar,
    /// BibTeX.
    BibTex,
    /// A CSL-JSON item.
    CslJson,
    /// A line to put into a list of references.
    Citation,
    /// The record's links (RFC 9264), JSON.
    LinkSetJson,
    /// The record's links (RFC 9264), as header fields have them.
    LinkSet,
}

/// How a format is named and asked for.
struct Row {
    format: ExportFormat,
    name: &'static str,
    title: &'static str,
    /// The type it is sent as, then others it is asked for by.
    media_types: &'static [&'static str],
    profile: Option<&'static str>,
}

/// All of them. Where several share a media type and a client names no profile, the first is meant.
const TABLE: [Row; 14] = [
    Row {
        format: ExportFormat::RoCrate,
        name: "ro-crate",
        title: "RO-Crate 1.2",
        media_types: &["application/ld+json"],
        profile: Some("https://w3id.org/ro/crate"),
    },
    Row {
        format: ExportFormat::SchemaOrg,
        name: "schema-org",
        title: "schema.org",
        media_types: &["application/ld+json", "application/vnd.schemaorg.ld+json"],
        profile: Some("https://schema.org"),
    },
    Row {
        format: ExportFormat::Croissant,
        name: "croissant",
        title: "Croissant 1.1",
        media_types: &["application/ld+json"],
        profile: Some("http://mlcommons.org/croissant/1.1"),
    },
    Row {
        format: ExportFormat::DataCiteJson,
        name: "datacite-json",
        title: "DataCite 4 JSON",
        media_types: &["application/vnd.datacite.datacite+json"],
        profile: Some("http://datacite.org/schema/kernel-4"),
    },
    Row {
        format: ExportFormat::DataCiteXml,
        name: "datacite-xml",
        title: "DataCite 4.7 XML",
        media_types: &["application/vnd.datacite.datacite+xml", "application/xml", "text/xml"],
        profile: Some("http://datacite.org/schema/kernel-4"),
    },
    Row {
        format: ExportFormat::DcatTurtle,
        name: "dcat",
        title: "DCAT-AP 3 Turtle",
        media_types: &["text/turtle"],
        profile: Some("http://data.europa.eu/r5r/"),
    },
    Row {
        format: ExportFormat::DcatJsonLd,
        name: "dcat-jsonld",
        title: "DCAT-AP 3 JSON-LD",
        media_types: &["application/ld+json"],
        profile: Some("http://data.europa.eu/r5r/"),
    },
    Row {
        format: ExportFormat::DublinCore,
        name: "oai-dc",
        title: "Dublin Core XML",
        media_types: &["application/xml", "text/xml"],
        profile: Some("http://www.openarchives.org/OAI/2.0/oai_dc/"),
    },
    Row {
        format: ExportFormat::Jpcoar,
        name: "jpcoar",
        title: "JPCOAR 2.0 XML",
        media_types: &["application/xml", "text/xml"],
        profile: Some("https://github.com/JPCOAR/schema/blob/master/2.0/"),
    },
    Row {
        format: ExportFormat::BibTex,
        name: "bibtex",
        title: "BibTeX",
        media_types: &["application/x-bibtex", "text/x-bibtex"],
        profile: None,
    },
    Row {
        format: ExportFormat::CslJson,
        name: "csl-json",
        title: "CSL-JSON",
        media_types: &["application/vnd.citationstyles.csl+json"],
        profile: None,
    },
    Row {
        format: ExportFormat::Citation,
        name: "citation",
        title: "Citation",
        media_types: &["text/x-bibliography"],
        profile: None,
    },
    Row {
        format: ExportFormat::LinkSetJson,
        name: "linkset-json",
        title: "Link set, JSON",
        media_types: &["application/linkset+json"],
        profile: None,
    },
    Row {
        format: ExportFormat::LinkSet,
        name: "linkset",
        title: "Link set",
        media_types: &["application/linkset"],
        profile: None,
    },
];

impl ExportFormat {
    /// All formats, in the order in which they are offered.
    pub const ALL: [Self; 14] = {
        let mut all = [Self::RoCrate; 14];
        let mut at = 0;
        while at < all.len() {
            all[at] = TABLE[at].format;
            at += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.format == self).unwrap_or(&TABLE[0])
    }

    /// Its name in addresses, such as `datacite-xml`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.format)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The media type it is sent as.
    pub fn media_type(self) -> &'static str {
        self.media_types().first().copied().unwrap_or("application/octet-stream")
    }

    /// The media types it is asked for by.
    pub fn media_types(self) -> &'static [&'static str] {
        self.row().media_types
    }

    /// What kind of document of its media type it is (RFC 6906).
    pub fn profile(self) -> Option<&'static str> {
        self.row().profile
    }

    /// Media type and, where JSON-LD could be anything, profile, as `Content-Type` has them.
    pub fn content_type(self) -> String {
        match self.profile().filter(|_| self.media_type() == "application/ld+json") {
            Some(profile) => format!("{}; profile=\"{profile}\"", self.media_type()),
            None if self.media_type().starts_with("text/") => format!("{}; charset=utf-8", self.media_type()),
            None => self.media_type().to_owned(),
        }
    }

    /// Whether it describes the dataset, other than a list of links or a line of text.
    pub fn is_description(self) -> bool {
        !matches!(self, Self::LinkSet | Self::LinkSetJson | Self::Citation)
    }
}
