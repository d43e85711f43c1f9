use askama::Template;
use serde_json::Value;

use super::{
    chrome::{Chrome, Section},
    format,
};
use crate::{links, site::Identity};

/// As many rows are shown as a table; the endpoint gives all.
const ROWS: usize = 500;

/// The form for SPARQL queries, with an answer where one was asked.
#[derive(Debug, Template)]
#[template(path = "query.html")]
pub(crate) struct QueryPage {
    pub chrome: Chrome,
    pub query: String,
    pub examples: Vec<ExampleView>,
    pub table: Option<Table>,
    pub problem: Option<String>,
    /// The endpoint's address.
    pub endpoint: String,
}

/// A query to start from.
#[derive(Debug, Clone)]
pub(crate) struct ExampleView {
    pub title: &'static str,
    pub query: &'static str,
    pub href: String,
}

/// An answer as a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    pub summary: String,
}

/// One value of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub text: String,
    pub href: Option<String>,
}

const EXAMPLES: [(&str, &str); 9] = [
    (
        "Bacteria × light microscopy, whatever the exact terms",
        include_str!("../../assets/queries/bacteria-light-microscopy.rq"),
    ),
    (
        "All imaging methods, broader ones included, by number of datasets",
        include_str!("../../assets/queries/methods.rq"),
    ),
    ("All organisms, by number of datasets", include_str!("../../assets/queries/taxa.rq")),
    ("Published since 2020, with imaging methods", include_str!("../../assets/queries/since-2020.rq")),
    ("Imaging methods of each publisher", include_str!("../../assets/queries/methods-of-publishers.rq")),
    ("Fluorescence microscopy of mammals under CC0", include_str!("../../assets/queries/mammals-cc0.rq")),
    ("Datasets of each node", include_str!("../../assets/queries/nodes.rq")),
    ("All classes", include_str!("../../assets/queries/classes.rq")),
    ("All predicates", include_str!("../../assets/queries/predicates.rq")),
];

impl QueryPage {
    pub(crate) fn new(identity: &Identity, query: Option<&str>) -> Self {
        let example = |(title, query): (&'static str, &'static str)| {
            let pairs =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query.trim()).finish();
            ExampleView { title, query: query.trim(), href: format!("/query?{pairs}") }
        };
        let examples: Vec<ExampleView> = EXAMPLES.into_iter().map(example).collect();
        let first = examples.first().map(|example| example.query).unwrap_or_default();
        Self {
            chrome: Chrome { unlisted: query.is_some(), ..Chrome::new(identity, Section::Query, "SPARQL") },
            query: query.unwrap_or(first).to_owned(),
            examples,
            table: None,
            problem: None,
            endpoint: format!("{}/sparql", identity.url),
        }
    }

    /// Adds the answer: SPARQL results JSON (SPARQL 1.1 Query Results JSON Format).
    pub(crate) fn with_answer(mut self, json: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(json) {
            Ok(answer) => self.table = Some(Table::of(&answer)),
            Err(_) => self.problem = Some("This answer is a graph, not a table: use “Raw result”.".into()),
        }
        self
    }

    pub(crate) fn with_problem(mut self, problem: String) -> Self {
        self.problem = Some(problem);
        self
    }
}

impl Table {
    fn of(answer: &Value) -> Self {
        if let Some(truth) = answer.get("boolean").and_then(Value::as_bool) {
            return Self { summary: if truth { "Yes." } else { "No." }.into(), ..Self::default() };
        }
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let columns: Vec<String> =
            list(answer.pointer("/head/vars")).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let bindings = list(answer.pointer("/results/bindings"));
        let row = |binding: &Value| columns.iter().map(|column| Cell::of(binding.get(column))).collect();
        let rows: Vec<Vec<Cell>> = bindings.iter().take(ROWS).map(row).collect();
        let all = format::count(bindings.len() as u64, "row", "rows");
        let summary =
            if rows.len() < bindings.len() { format!("{all}, the first {ROWS} shown.") } else { format!("{all}.") };
        Self { columns, rows, summary }
    }
}

impl Cell {
    fn of(term: Option<&Value>) -> Self {
        let text = |key: &str| term.and_then(|term| term.get(key)).and_then(Value::as_str).unwrap_or_default();
        let href = if text("type") == "uri" { links::web(text("value")) } else { None };
        Self { text: text("value").to_owned(), href }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_table_with_links_only_to_the_web() {
        let answer = br#"{"head": {"vars": ["d", "n"]}, "results": {"bindings": [
            {"d": {"type": "uri", "value": "https://e.org/1"}, "n": {"type": "literal", "value": "<b>"}},
            {"d": {"type": "uri", "value": "javascript:alert(1)"}}]}}"#;
        let page = QueryPage::new(&Identity::example(), Some("SELECT")).with_answer(answer);
        let table = page.table.clone().unwrap();
        assert_eq!(table.rows[0][0].href.as_deref(), Some("https://e.org/1"));
        assert_eq!((table.rows[1][0].href.clone(), table.rows[1][1].clone()), (None, Cell::default()));
        assert_eq!(table.summary, "2 rows.");
        let html = page.render().unwrap();
        assert!(html.contains("&#60;b&#62;") && !html.contains("<b>") && !html.contains("href=\"javascript"), "{html}");
    }

    #[test]
    fn a_query_cannot_leave_its_text_area() {
        let html = QueryPage::new(&Identity::example(), Some("</textarea><script>x</script>")).render().unwrap();
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn yes_and_no_are_answers_too_and_graphs_say_what_to_do() {
        let page = || QueryPage::new(&Identity::example(), Some("ASK {}"));
        assert_eq!(page().with_answer(br#"{"head": {}, "boolean": true}"#).table.unwrap().summary, "Yes.");
        assert!(page().with_answer(b"<a> <b> <c> .").problem.unwrap().contains("Raw result"));
    }
}
