use super::{
    description::{Creator, Description, date, is_web},
    element::Element,
};

/// Reads the fifteen elements; everything but the title may be missing or repeated.
pub(super) fn read(root: &Element) -> Result<Description, String> {
    let dc = root.find("dc").ok_or("it is no oai_dc")?;
    let first = |name: &'static str| dc.texts(name).next().unwrap_or_default().to_owned();
    let rights: Vec<&str> = dc.texts("rights").collect();
    // `info:` addresses tell who may read, others the licence.
    let licence =
        rights.iter().find(|text| is_web(text) && text.contains("licen") || text.contains("creativecommons.org"));
    let licence = licence.or_else(|| rights.iter().find(|text| is_web(text) && !text.contains("purl.org/coar")));
    Ok(Description {
        title: first("title"),
        description: dc.texts("description").collect::<Vec<_>>().join("\n\n"),
        creators: dc.texts("creator").map(|name| Creator { name: name.to_owned(), ..Creator::default() }).collect(),
        publisher: dc.texts("publisher").next().map(|name| (name.to_owned(), None)),
        date: dc.texts("date").find_map(date),
        licence: licence.map(|text| (*text).to_owned()),
        subjects: dc
            .texts("subject")
            .map(|text| (Some(text.to_owned()).filter(|text| is_web(text)), text.to_owned()))
            .collect(),
        identifiers: dc.texts("identifier").map(str::to_owned).collect(),
        related: dc.texts("relation").map(str::to_owned).collect(),
    })
}
