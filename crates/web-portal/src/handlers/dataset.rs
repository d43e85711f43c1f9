use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use dataset_model::{DatasetId, Digest, NodeId};
use node::{Actor, ExportFormat, NodeError, RecordKind, RecordView, ResultFormat, TypedLink, VersionChoice};

use crate::{
    accept::{Form, negotiate},
    refusal::Refusal,
    site::Site,
    views::{
        dataset::DatasetPage,
        search::{hits::HitCard, params::Params},
        study::StudyView,
    },
};

/// As many similar datasets are shown.
const SIMILAR: usize = 4;

/// What is asked for.
struct Asked {
    id: DatasetId,
    node: Option<NodeId>,
    choice: VersionChoice,
    form: Form,
    /// The media type by which the form was asked for.
    media_type: &'static str,
    /// The entity tags the client holds.
    held: Option<String>,
}

/// `/datasets/{id}`
pub(crate) async fn latest(
    State(site): State<Site>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    answer(&site, Asked::read(&id, "latest", query, &headers)?).await
}

/// `/datasets/{id}/versions/{version}`
pub(crate) async fn version(
    State(site): State<Site>,
    Path((id, version)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    answer(&site, Asked::read(&id, &version, query, &headers)?).await
}

impl Asked {
    fn read(id: &str, version: &str, query: Option<String>, headers: &HeaderMap) -> Result<Self, Refusal> {
        let params = Params::parse(&query.unwrap_or_default());
        let node = params.first("node").map(str::parse).transpose();
        let form = match params.first("format") {
            Some(name) => Form::named(name).map(|form| (form, form.media_types().first().copied().unwrap_or_default())),
            None => negotiate(headers),
        };
        let none = || {
            Refusal::not_acceptable(format!(
                "This address answers none of what was asked for, but {}.",
                Form::offered()
            ))
        };
        let (form, media_type) = form.ok_or_else(none)?;
        let held = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        Ok(Self {
            id: id.parse().map_err(absent)?,
            node: node.map_err(absent)?,
            choice: version.parse().map_err(absent)?,
            form,
            media_type,
            held: held.map(str::to_owned),
        })
    }
}

/// What cannot be an id is no dataset's.
fn absent(error: impl std::fmt::Display) -> NodeError {
    NodeError::NotFound(error.to_string())
}

/// Bytes of one form, before they have headers.
struct Answer {
    body: Vec<u8>,
    content_type: String,
    links: Vec<TypedLink>,
    /// Where just this form is.
    location: Option<String>,
}

async fn answer(site: &Site, asked: Asked) -> Result<Response, Refusal> {
    let answer = match asked.form {
        Form::Html => page(site, &asked).await?,
        Form::Export(format) => export(site, &asked, format).await?,
        Form::Turtle => triples(site, &asked, ResultFormat::Turtle).await?,
        Form::NTriples => triples(site, &asked, ResultFormat::NTriples).await?,
    };
    // Weak, as the same answer may be sent compressed.
    let etag = format!("W/\"{}\"", Digest::of(&answer.body));
    let known = asked.held.is_some_and(|held| held.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*"));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { answer.body.into_response() };
    let links = answer.links.iter().map(TypedLink::header).collect::<Vec<_>>().join(", ");
    for (name, text) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::ETAG, etag),
        (header::VARY, "Accept".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::LINK, links),
        (header::CONTENT_LOCATION, answer.location.unwrap_or_default()),
    ] {
        if let Some(value) = HeaderValue::from_str(&text).ok().filter(|value| !value.is_empty()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

async fn record(site: &Site, asked: &Asked) -> Result<RecordView, NodeError> {
    site.node.record(&Actor::Anonymous, &asked.id, asked.node.as_ref(), asked.choice).await
}

async fn page(site: &Site, asked: &Asked) -> Result<Answer, Refusal> {
    let record = record(site, asked).await?;
    let here = record.copy.is_some() || (record.own && record.kind == RecordKind::Deposit);
    let manifest = if here {
        Some(site.node.manifest(&Actor::Anonymous, &asked.id, VersionChoice::Number(record.version)).await?)
    } else {
        None
    };
    // A copy is no place that the record itself names.
    let own_files = manifest.as_deref().filter(|_| record.own).unwrap_or_default();
    let export = record.to_export(site.node.config().catalogue(), own_files);
    let mut page = DatasetPage::new(&site.identity, &record, &export, manifest.as_deref());
    let key = record.key();
    let similar = site.node.similar(&Actor::Anonymous, &key.id, Some(&key.node), SIMILAR).await?;
    page.similar = similar.into_iter().map(|hit| HitCard::of(hit, &site.identity.id)).collect();
    // A record that search does not hold yet stands alone for now.
    let study = site.node.study(&Actor::Anonymous, &key.id, Some(&key.node)).await.ok();
    page.study = study.and_then(|study| StudyView::of(&study, &key, &site.identity.id));
    let body = page.render().map_err(|error| NodeError::Internal(format!("filling a template: {error}")))?;
    let content_type = "text/html; charset=utf-8".to_owned();
    Ok(Answer { body: body.into_bytes(), content_type, links: page.links, location: None })
}

async fn export(site: &Site, asked: &Asked, format: ExportFormat) -> Result<Answer, Refusal> {
    let record = record(site, asked).await?;
    let export = record.to_export(site.node.config().catalogue(), &[]);
    let choice = VersionChoice::Number(record.version);
    let exported = site.node.export(&Actor::Anonymous, &asked.id, asked.node.as_ref(), choice, format).await?;
    let own_type = asked.media_type == format.media_type();
    Ok(Answer {
        body: exported.bytes.to_vec(),
        content_type: if own_type { format.content_type() } else { asked.media_type.to_owned() },
        links: export.header_links(),
        location: Some(export.export_url(format)),
    })
}

/// Triples are kept of the newest version of the record that goes by the bare id.
async fn triples(site: &Site, asked: &Asked, format: ResultFormat) -> Result<Answer, Refusal> {
    let wanted = record(site, asked).await?;
    let kept = site.node.record(&Actor::Anonymous, &asked.id, None, VersionChoice::Latest).await?;
    if wanted.key() != kept.key() || wanted.version != kept.version {
        return Err(Refusal::not_acceptable(
            "RDF is kept of a dataset's newest version; of this one, ask for the RO-Crate.",
        ));
    }
    let body = site.node.triples(&Actor::Anonymous, &asked.id, format)?;
    let links = wanted.to_export(site.node.config().catalogue(), &[]).header_links();
    Ok(Answer { body, content_type: asked.media_type.to_owned(), links, location: None })
}
