use quick_xml::escape::escape;

/// An XML document as it is written. Text and attributes are escaped, and hold no character that XML 1.0 forbids.
pub(super) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    /// Begins an element that holds others.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name);
    }

    /// Ends the element begun last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.text.push_str(&format!("</{name}>\n"));
        }
    }

    /// An element that holds text.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.text.push_str(&format!(">{}</{name}>\n", escape(allowed(text))));
    }

    /// The whole document.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.text.push_str(&format!(" {attribute}=\"{}\"", escape(allowed(value))));
        }
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.open.len()));
    }
}

/// The characters of a text that XML 1.0 can hold (§2.2); the others have no way to be written.
fn allowed(text: &str) -> String {
    let keep = |c: &char| {
        matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_holds_only_what_xml_can() {
        let mut xml = Xml::new();
        xml.open("a", &[("b", "\"<&\u{0}"), ("c", "")]);
        xml.element("d", &[], "x\u{8} < y & ]]> \u{ffff}");
        assert_eq!(
            xml.finish().lines().skip(1).collect::<Vec<_>>(),
            ["<a b=\"&quot;&lt;&amp;\">", "  <d>x &lt; y &amp; ]]&gt; </d>", "</a>"]
        );
    }
}
