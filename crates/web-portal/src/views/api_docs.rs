//! The OpenAPI document as a page. What the document lacks is left out; nothing in it can make the page fail.

use askama::Template;
use serde_json::Value;

use super::chrome::{Chrome, Section};
use crate::site::Identity;

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// The API as people read it.
#[derive(Debug, Template)]
#[template(path = "api_docs.html")]
pub(crate) struct ApiPage<'a> {
    pub chrome: Chrome,
    pub url: String,
    pub groups: &'a [Group],
}

/// Operations with one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub tag: String,
    pub operations: Vec<Operation>,
}

/// One method on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    /// Scopes of the token it needs; nothing when anyone may ask.
    pub scopes: Option<String>,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub responses: Vec<Answer>,
}

/// Something to put into the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub name: String,
    pub place: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub media_types: String,
    pub description: String,
}

/// What may come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: String,
    pub description: String,
    pub media_types: String,
}

impl<'a> ApiPage<'a> {
    pub(crate) fn new(identity: &Identity, groups: &'a [Group]) -> Self {
        Self { chrome: Chrome::new(identity, Section::Api, "API"), url: identity.url.clone(), groups }
    }
}

/// Reads a document: groups in the order in which their tags appear.
pub(crate) fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in entries(document.get("paths")) {
        for (method, operation) in METHODS.iter().filter_map(|method| Some((method, item.get(method)?))) {
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other");
            let operation = Operation::of(method, path, operation);
            match groups.iter_mut().find(|group| group.tag == tag) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { tag: tag.to_owned(), operations: vec![operation] }),
            }
        }
    }
    groups
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// A text without the backticks of its Markdown.
fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().replace('`', "")
}

fn media_types(value: &Value) -> String {
    entries(value.get("content")).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Operation {
    fn of(method: &str, path: &str, operation: &Value) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let body = operation.get("requestBody");
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(operation, "summary"),
            description: text(operation, "description"),
            scopes: scopes(operation),
            parameters: parameters.into_iter().flatten().map(Parameter::of).collect(),
            body: body.map(|body| Body { media_types: media_types(body), description: text(body, "description") }),
            responses: entries(operation.get("responses")).map(Answer::of).collect(),
        }
    }
}

fn scopes(operation: &Value) -> Option<String> {
    let requirement = operation.pointer("/security/0").and_then(Value::as_object)?;
    let scopes = requirement.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    Some(scopes.collect::<Vec<_>>().join(", "))
}

impl Parameter {
    fn of(parameter: &Value) -> Self {
        Self {
            name: text(parameter, "name"),
            place: text(parameter, "in"),
            kind: parameter.get("schema").map(kind).unwrap_or_default(),
            required: parameter.get("required").and_then(Value::as_bool).unwrap_or(false),
            description: text(parameter, "description"),
        }
    }
}

/// The type of a schema in a word or two; "or nothing" goes without saying.
fn kind(schema: &Value) -> String {
    let one = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    match schema.get("items").map(kind) {
        Some(of) if one == "array" && !of.is_empty() => format!("{of}, may repeat"),
        _ => one,
    }
}

impl Answer {
    fn of((status, response): (&String, &Value)) -> Self {
        Self { status: status.clone(), description: text(response, "description"), media_types: media_types(response) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({"paths": {
            "/api/v1/deposits": {
                "post": {"tags": ["deposit"], "summary": "Makes a <draft>", "security": [{"token": ["deposit"]}],
                    "requestBody": {"content": {"application/json": {}}, "description": "The crate"},
                    "responses": {"201": {"description": "The draft"}, "401": {"description": "No token"}}},
                "get": {"tags": ["deposit"], "parameters": [{"name": "after", "in": "query", "schema": {"type": ["array", "null"], "items": {"type": "string"}}}]},
            },
            "/health/live": {"get": {"responses": {"200": {"description": "Up", "content": {"text/plain": {}}}}}},
        }})
    }

    #[test]
    fn operations_are_grouped_by_tag() {
        let groups = groups(&document());
        assert_eq!(groups.iter().map(|group| group.tag.as_str()).collect::<Vec<_>>(), ["deposit", "other"]);
        let post = groups[0].operations.iter().find(|operation| operation.method == "POST").unwrap();
        assert_eq!((post.scopes.as_deref(), post.responses.len()), (Some("deposit"), 2));
        assert_eq!(groups[0].operations[0].parameters[0].kind, "string, may repeat");
        assert_eq!(groups[1].operations[0].responses[0].media_types, "text/plain");
    }

    #[test]
    fn the_page_shows_every_operation_escaped() {
        let groups = groups(&document());
        let page = ApiPage::new(&Identity::example(), &groups).render().unwrap();
        assert!(page.contains("Makes a &#60;draft&#62;") && page.contains("/health/live"), "{page}");
    }

    #[test]
    fn odd_documents_make_an_empty_page_not_a_failure() {
        for odd in [json!(null), json!([]), json!({"paths": 3}), json!({"paths": {"/x": {"get": null}}})] {
            let groups = groups(&odd);
            assert!(ApiPage::new(&Identity::example(), &groups).render().is_ok());
        }
    }
}
