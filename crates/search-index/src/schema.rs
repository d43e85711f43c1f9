use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};

use crate::analysis::{Form, folded};
use crate::exact::{exact_forms, normal_form};
use crate::facets::{FACETS, Facet, stored_values};
use crate::studies::hashes::of_record;
use crate::{SearchDocument, SearchError, Within};
use dataset_model::DatasetKey;

/// Counts up whenever the fields, the analysis or what is written changes.
pub(crate) const SCHEMA_VERSION: u32 = 6;

/// Fast field of keys: order by it is order by [`DatasetKey`].
pub(crate) const KEY: &str = "key";
/// Fast field of publication days as `YYYYMMDD`.
pub(crate) const DATE: &str = "date";
/// Fast field of sizes.
pub(crate) const BYTES: &str = "bytes";
/// Fast field of what studies are told by.
pub(crate) const STUDY_KEYS: &str = "study_keys";
/// Fast field of titles to sort by.
pub(crate) const TITLE_ORDER: &str = "title_order";

/// Longer titles are cut for sorting, so that a cursor stays short.
const TITLE_ORDER_BYTES: usize = 96;
/// Longer publishers and licences are cut: the engine cannot look up terms beyond some size.
const VALUE_BYTES: usize = 1_024;

/// A field that words are looked up in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextField {
    pub(crate) field: Field,
    pub(crate) form: Form,
    /// How much a match here counts.
    pub(crate) weight: f32,
    /// Words in a typical record, against which longer ones are marked down.
    pub(crate) typical_words: u64,
    /// The narrowest search that looks here.
    pub(crate) part: Within,
}

/// The fields of the index.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) key: Field,
    pub(crate) record: Field,
    /// Whole identifiers in [normal form](crate::exact::normal_form).
    pub(crate) exact: Field,
    /// Unstemmed words of all text fields, for prefixes.
    pub(crate) words: Field,
    pub(crate) organism_closure: Field,
    pub(crate) method_closure: Field,
    /// Term IRIs and folded labels; names without a term as [`named_entity`] too.
    pub(crate) entity_closure: Field,
    /// ORCIDs in normal form and folded names.
    pub(crate) author: Field,
    /// RORs in normal form and folded names.
    pub(crate) affiliation: Field,
    /// `true` or `false`.
    pub(crate) thumbnail: Field,
    /// One per facet, in the order of [`FACETS`].
    pub(crate) facets: Vec<Field>,
    pub(crate) date: Field,
    pub(crate) bytes: Field,
    pub(crate) title_order: Field,
    pub(crate) study_keys: Field,
    /// Title first, then as [`texts_of`] lists them.
    pub(crate) texts: [TextField; 8],
}

impl Fields {
    pub(crate) fn new() -> Self {
        let mut builder = Schema::builder();
        let key = builder.add_text_field(KEY, STRING | FAST | STORED);
        // As text: the engine reads stored bytes one by one.
        let record = builder.add_text_field("record", STORED);
        let exact = builder.add_text_field("exact", STRING);
        let words = builder.add_text_field("words", indexed(Form::Plain, IndexRecordOption::Basic));
        let organism_closure = builder.add_text_field("organism_closure", STRING);
        let method_closure = builder.add_text_field("method_closure", STRING);
        let entity_closure = builder.add_text_field("entity_closure", STRING);
        let author = builder.add_text_field("author", STRING);
        let affiliation = builder.add_text_field("affiliation", STRING);
        let thumbnail = builder.add_text_field("thumbnail", STRING);
        let facets = FACETS.iter().map(|facet| facet_field(&mut builder, *facet)).collect();
        let date = builder.add_u64_field(DATE, FAST);
        let bytes = builder.add_u64_field(BYTES, FAST);
        let title_order = builder.add_text_field(TITLE_ORDER, TextOptions::default() | FAST);
        let study_keys = builder.add_u64_field(STUDY_KEYS, FAST | INDEXED);
        let texts = text_fields(&mut builder);
        let schema = builder.build();
        Self {
            schema,
            key,
            record,
            exact,
            words,
            organism_closure,
            method_closure,
            entity_closure,
            author,
            affiliation,
            thumbnail,
            facets,
            date,
            bytes,
            title_order,
            study_keys,
            texts,
        }
    }

    /// The engine's form of a record.
    pub(crate) fn document(&self, record: &SearchDocument) -> Result<TantivyDocument, SearchError> {
        let stored = serde_json::to_string(record)
            .map_err(|source| SearchError::Document { key: record.key.clone(), source: source.into() })?;
        let mut document = TantivyDocument::new();
        document.add_text(self.key, key_text(&record.key));
        document.add_text(self.record, stored);
        exact_forms(record).iter().for_each(|form| document.add_text(self.exact, form));
        self.add_texts(&mut document, record);
        self.add_filters(&mut document, record);
        document.add_text(self.title_order, title_order(&record.title));
        of_record(record).into_iter().for_each(|key| document.add_u64(self.study_keys, key));
        if let Some(date) = date_number(record) {
            document.add_u64(self.date, date);
        }
        if let Some(bytes) = record.bytes {
            document.add_u64(self.bytes, bytes);
        }
        Ok(document)
    }

    fn add_texts(&self, document: &mut TantivyDocument, record: &SearchDocument) {
        for (text_field, values) in self.texts.iter().zip(texts_of(record)) {
            for value in values {
                document.add_text(text_field.field, value);
                document.add_text(self.words, value);
            }
        }
    }

    fn add_filters(&self, document: &mut TantivyDocument, record: &SearchDocument) {
        let organisms = record.organisms.iter().map(|term| &term.iri).chain(&record.organism_closure);
        organisms.for_each(|iri| document.add_text(self.organism_closure, iri.as_str()));
        let methods = record.methods.iter().map(|term| &term.iri).chain(&record.method_closure);
        methods.for_each(|iri| document.add_text(self.method_closure, iri.as_str()));
        let entities = record.about.iter().map(|term| &term.iri).chain(&record.about_closure);
        entities.for_each(|iri| document.add_text(self.entity_closure, iri.as_str()));
        record.about.iter().for_each(|term| document.add_text(self.entity_closure, one_spelling(&term.label)));
        for name in record.entities.iter().map(|name| one_spelling(name)).filter(|name| !name.is_empty()) {
            document.add_text(self.entity_closure, named_entity(&name));
            document.add_text(self.entity_closure, name);
        }
        record.authors.iter().for_each(|name| document.add_text(self.author, one_spelling(name)));
        record.orcids.iter().for_each(|orcid| document.add_text(self.author, normal_form(orcid)));
        for affiliation in &record.affiliations {
            document.add_text(self.affiliation, one_spelling(affiliation));
            document.add_text(self.affiliation, normal_form(affiliation));
        }
        document.add_text(self.thumbnail, record.thumbnail.is_some().to_string());
        for (facet, field) in FACETS.iter().zip(&self.facets) {
            stored_values(*facet, record).iter().for_each(|value| document.add_text(*field, value));
        }
    }
}

/// Terms are looked up in their closures, so their facets are only counted.
fn facet_field(builder: &mut SchemaBuilder, facet: Facet) -> Field {
    let options = if facet.is_terms() { TextOptions::default() | FAST } else { STRING | FAST };
    builder.add_text_field(facet.field_name(), options)
}

fn text_fields(builder: &mut SchemaBuilder) -> [TextField; 8] {
    let mut add = |name, form, weight, typical_words, part| {
        let field = builder.add_text_field(name, indexed(form, IndexRecordOption::WithFreqsAndPositions));
        TextField { field, form, weight, typical_words, part }
    };
    [
        add("title", Form::Stemmed, 8.0, 12, Within::Title),
        add("identifiers", Form::Plain, 6.0, 10, Within::Record),
        add("names", Form::Stemmed, 5.0, 60, Within::Record),
        add("keywords", Form::Stemmed, 4.0, 10, Within::Record),
        add("authors", Form::Plain, 2.5, 20, Within::Everywhere),
        add("description", Form::Stemmed, 1.5, 150, Within::Record),
        add("text", Form::Stemmed, 1.0, 300, Within::Record),
        add("related", Form::Stemmed, 0.8, 60, Within::Everywhere),
    ]
}

/// The values of the text fields of a record, in the order of [`Fields::texts`].
fn texts_of(record: &SearchDocument) -> [Vec<&str>; 8] {
    fn all(values: &[String]) -> impl Iterator<Item = &str> {
        values.iter().map(String::as_str)
    }
    let labels = record.organisms.iter().chain(&record.methods).chain(&record.about);
    let names =
        labels.map(|term| term.label.as_str()).chain(all(&record.organism_names)).chain(all(&record.about_names));
    let licence_and_publisher = record.publisher.iter().chain(&record.licence).map(String::as_str);
    [
        vec![&record.title],
        all(&record.identifiers).chain([record.key.id.as_str()]).collect(),
        names.chain(all(&record.method_names)).collect(),
        all(&record.keywords).collect(),
        all(&record.authors).collect(),
        vec![&record.description],
        all(&record.text).collect(),
        all(&record.related).chain(licence_and_publisher).collect(),
    ]
}

fn indexed(form: Form, option: IndexRecordOption) -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(form.name())
        .set_index_option(option)
        .set_fieldnorms(option != IndexRecordOption::Basic);
    TextOptions::default().set_indexing_options(indexing)
}

/// A key as text that sorts as the key does: a space comes before every character of a node name.
pub(crate) fn key_text(key: &DatasetKey) -> String {
    format!("{} {}", key.node, key.id)
}

/// The key written as [`key_text`].
pub(crate) fn read_key(text: &str) -> Option<DatasetKey> {
    let (node, id) = text.split_once(' ')?;
    Some(DatasetKey { node: node.parse().ok()?, id: id.parse().ok()? })
}

/// What a title is sorted by.
pub(crate) fn title_order(title: &str) -> String {
    let folded = folded(title.trim_start_matches(|c: char| !c.is_alphanumeric()));
    cut(&folded, TITLE_ORDER_BYTES).to_owned()
}

/// A publisher or licence as it is stored and compared; blank is none.
pub(crate) fn value_text(text: &str) -> Option<&str> {
    let text = cut(text.trim(), VALUE_BYTES);
    (!text.is_empty()).then_some(text)
}

/// A name as it is compared: without regard to case, accents and blanks.
pub(crate) fn one_spelling(name: &str) -> String {
    folded(&cut(name, VALUE_BYTES).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What stands for an entity that has a name, in one spelling, and no term: never what a term or its label is written as.
pub(crate) fn named_entity(spelling: &str) -> String {
    format!("\u{1}{spelling}")
}

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// The publication day as `YYYYMMDD`, zeros where it is coarser; the year alone where there is no readable day.
pub(crate) fn date_number(record: &SearchDocument) -> Option<u64> {
    let parse = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let read = |date: &str| {
        let mut parts = date.get(..10).unwrap_or(date).splitn(3, '-');
        let year = parts.next().filter(|year| year.len() == 4).and_then(parse)?;
        let month = parts.next().and_then(parse).filter(|month| *month <= 12).unwrap_or(0);
        let day = parts.next().and_then(parse).filter(|day| *day <= 31).unwrap_or(0);
        Some(year * 10_000 + month * 100 + day)
    };
    record.date.as_deref().and_then(read).or(record.year.map(|year| u64::from(year) * 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(node: &str, id: &str) -> DatasetKey {
        DatasetKey { node: node.parse().unwrap(), id: id.parse().unwrap() }
    }

    #[test]
    fn key_text_sorts_like_the_key() {
        let mut keys = [key("a", "z"), key("a-b", "a"), key("ab", "a"), key("a", "B"), key("a0", "x")];
        keys.sort();
        let texts: Vec<String> = keys.iter().map(key_text).collect();
        assert!(texts.is_sorted());
        assert_eq!(read_key(&texts[0]).unwrap(), keys[0]);
    }

    #[test]
    fn coarse_and_broken_dates_still_order() {
        let mut record = SearchDocument::empty(key("a", "b"));
        record.year = Some(2019);
        for (date, number) in [
            ("2020", 20_200_000),
            ("2020-07", 20_200_700),
            ("2020-07-09", 20_200_709),
            ("2020-07-09T10:00:00Z", 20_200_709),
            ("last summer", 20_190_000),
        ] {
            record.date = Some(date.to_owned());
            assert_eq!(date_number(&record), Some(number), "{date}");
        }
    }

    #[test]
    fn long_titles_are_cut_between_characters() {
        assert_eq!(title_order("  «Äpfel 7"), "apfel 7");
        assert!(title_order(&"細胞".repeat(100)).len() <= 96);
    }
}
