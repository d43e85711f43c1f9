use dataset_model::TermIri;

/// What a word or a few words next to each other are known to mean, beside themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Concept {
    /// The terms meant: a record with one of them, or with one below, matches.
    pub terms: Vec<TermIri>,
    /// Other names of the same: a record whose text has one of them matches.
    pub names: Vec<String>,
    /// Whether the words mean this only side by side: `light sheet` is not a light and a sheet. Where it does not hold,
    /// records with all of the words anywhere match too.
    pub only_together: bool,
}

/// Knows names of things. The index asks it about the words of a query, longest runs first.
pub trait Vocabulary {
    /// What the words mean, if anyone here knows; they come in lower case, without accents, one blank between two.
    fn concept(&self, words: &str) -> Option<Concept>;

    /// Whether a term is one of others, or below one; asked only to say why a record matched.
    fn is_any_of(&self, term: &TermIri, others: &[TermIri]) -> bool {
        others.contains(term)
    }
}

/// Knows nothing: words mean themselves.
impl Vocabulary for () {
    fn concept(&self, _: &str) -> Option<Concept> {
        None
    }
}
