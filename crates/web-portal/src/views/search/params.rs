use url::form_urlencoded;

/// The search as it stands in the address: names and values in order. Changing one keeps all others, and starts again at
/// the first page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string; what is empty is left out.
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.trim().is_empty());
        Self(pairs.map(|(name, value)| (one_name(&name), value.trim().to_owned())).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }

    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs().filter(move |(of, _)| *of == name).map(|(_, value)| value)
    }

    /// The pairs of all other names.
    pub(crate) fn except(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
    }

    pub(crate) fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// With one more value of a name.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.except(&["cursor"]);
        changed.push((name.to_owned(), value.to_owned()));
        Self(changed)
    }

    /// Without one value of a name.
    pub(crate) fn without(&self, name: &str, value: &str) -> Self {
        let mut changed = self.except(&["cursor"]);
        changed.retain(|(of, held)| of != name || held != value);
        Self(changed)
    }

    /// Without any value of a name.
    pub(crate) fn without_all(&self, name: &str) -> Self {
        Self(self.except(&["cursor", name]))
    }

    /// With this one value of a name.
    pub(crate) fn set(&self, name: &str, value: &str) -> Self {
        let mut changed = self.except(&["cursor", name]);
        changed.push((name.to_owned(), value.to_owned()));
        Self(changed)
    }

    /// An address with these parameters.
    pub(crate) fn link(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }
}

/// Both spellings of the licence filter are one.
fn one_name(name: &str) -> String {
    if name == "licence" { "license".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_and_taking_away_a_filter_keeps_the_others_and_starts_at_the_first_page() {
        let params = Params::parse("q=a+b&organism=mouse&organism=human&year=2020&cursor=x&empty=");
        assert_eq!(
            params.with("node", "japan").link("/search"),
            "/search?q=a+b&organism=mouse&organism=human&year=2020&node=japan"
        );
        assert_eq!(params.without("organism", "mouse").link("/search"), "/search?q=a+b&organism=human&year=2020");
        assert_eq!(params.set("year", "2021").link("/search"), "/search?q=a+b&organism=mouse&organism=human&year=2021");
        assert_eq!(params.without_all("organism").link("/search"), "/search?q=a+b&year=2020");
    }

    #[test]
    fn a_link_reads_back_as_what_it_was_made_from() {
        let params = Params::default().with("q", "a&b=c?#% \"ü\"").with("licence", "x");
        assert_eq!(Params::parse(params.link("/search").split_once('?').unwrap().1).first("q"), Some("a&b=c?#% \"ü\""));
        assert_eq!(Params::default().link("/search"), "/search");
    }

    #[test]
    fn both_spellings_of_licence_are_one() {
        assert_eq!(Params::parse("licence=CC0-1.0").first("license"), Some("CC0-1.0"));
    }
}
