use std::sync::Arc;

use askama::Template;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use dataset_model::NodeId;
use node::{Node, NodeConfig, NodeError};
use serde_json::Value;

use crate::{refusal::Refusal, views::api_docs};

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct Site {
    pub node: Arc<Node>,
    pub identity: Arc<Identity>,
    /// The API's operations, by tag; read once.
    pub api: Arc<Vec<api_docs::Group>>,
}

/// Whose pages these are.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub id: NodeId,
    pub title: String,
    pub about: String,
    pub country: Option<String>,
    /// Without trailing slash.
    pub url: String,
}

impl Site {
    pub(crate) fn new(node: Arc<Node>, openapi: &Value) -> Self {
        let identity = Arc::new(Identity::of(node.config()));
        Self { node, identity, api: Arc::new(api_docs::groups(openapi)) }
    }
}

impl Identity {
    fn of(config: &NodeConfig) -> Self {
        Self {
            id: config.id.clone(),
            title: config.title.clone(),
            about: config.about.clone(),
            country: config.country.clone(),
            url: config.public_url.clone(),
        }
    }

    /// A node for tests of views.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        Self {
            id: "europe".parse().expect("a node id"),
            title: "Heliograph Europe".into(),
            about: "Bio-image data from European laboratories.".into(),
            country: Some("Germany".into()),
            url: "https://europe.example.org".into(),
        }
    }
}

/// A filled template as a response.
pub(crate) fn html(page: &impl Template) -> Result<Response, Refusal> {
    let text = page.render().map_err(|error| NodeError::Internal(format!("filling a template: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response())
}
