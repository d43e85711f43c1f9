use quick_xml::{Reader, XmlVersion, events::Event};

/// No record known nests deeper than a quarter of this.
const MAX_DEPTH: usize = 64;
/// Elements of one record.
const MAX_ELEMENTS: usize = 200_000;

/// An XML element of a small document, its name and those of its attributes without their prefixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Reads a document. Document types, and entities that XML does not have, are refused: nothing is expanded.
    ///
    /// # Errors
    /// In words.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        let mut count = 0;
        loop {
            let event = reader.read_event().map_err(|error| format!("it is malformed XML: {error}"))?;
            match event {
                Event::Start(start) => {
                    open.push(element(&start));
                    if open.len() > MAX_DEPTH {
                        return Err(format!("it nests more than {MAX_DEPTH} elements"));
                    }
                }
                Event::Empty(start) => {
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(element(&start));
                    }
                }
                Event::End(_) => {
                    let (Some(done), Some(parent)) = (open.pop(), open.last_mut()) else {
                        return Err("it ends an element that did not begin".to_owned());
                    };
                    parent.children.push(done);
                }
                Event::Text(piece) => add(&mut open, &piece),
                Event::CData(piece) => add(&mut open, &piece),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                    let known = || quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                    add(&mut open, &character.or_else(known).ok_or("it uses an entity that XML does not have")?);
                }
                Event::DocType(_) => return Err("it declares a document type, which is not read".to_owned()),
                Event::Eof => break,
                _ => {}
            }
            count += 1;
            if count > MAX_ELEMENTS {
                return Err(format!("it has more than {MAX_ELEMENTS} parts"));
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut whole), true) if whole.children.len() == 1 => Ok(whole.children.remove(0)),
            (Some(_), true) => Err("it is not one XML element".to_owned()),
            _ => Err("it ends before its last element does".to_owned()),
        }
    }

    /// Its text, without what stands around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// An attribute's value; empty where there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// The children of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The children of children: those called `inner` in those called `outer`.
    pub(super) fn within<'a>(&'a self, outer: &'a str, inner: &'a str) -> impl Iterator<Item = &'a Self> {
        self.all(outer).flat_map(move |list| list.all(inner))
    }

    /// The texts of the children of a name that have any.
    pub(super) fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).map(Self::text).filter(|text| !text.is_empty())
    }

    /// Itself or the first element within that has the name.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Element {
    let attributes = start.attributes().flatten().filter_map(|attribute| {
        let name = attribute.key.local_name().as_ref().to_owned();
        Some((name, attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned()))
    });
    Element { name: start.local_name().as_ref().to_owned(), attributes: attributes.collect(), ..Element::default() }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_without_their_prefixes() {
        let root = Element::read("<a:b x:y='1 &amp; 2'><c> d &lt;<![CDATA[<]]>&#101; </c><c/></a:b>").unwrap();
        assert_eq!((root.name.as_str(), root.attribute("y")), ("b", "1 & 2"));
        assert_eq!(root.texts("c").collect::<Vec<_>>(), ["d <<e"]);
        assert_eq!(root.all("c").count(), 2);
    }

    #[test]
    fn what_is_hostile_is_refused() {
        for text in ["", "a", "<a>", "<a/><b/>", "<a>&b;</a>", "<!DOCTYPE a><a/>"] {
            assert!(Element::read(text).is_err(), "{text}");
        }
        assert!(Element::read(&format!("{}{}", "<a>".repeat(100), "</a>".repeat(100))).is_err());
    }
}
