use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use dataset_model::{DatasetId, NodeId};
use node::{Actor, NodeError, RecordKind, RecordView, ResultFormat, VersionChoice};

use crate::{
    accept::{Form, negotiate},
    refusal::Refusal,
    site::{Site, html},
    views::{
        dataset::{DatasetPage, signposting},
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
            Some(name) => Form::named(name),
            None => negotiate(headers),
        };
        Ok(Self {
            id: id.parse().map_err(absent)?,
            node: node.map_err(absent)?,
            choice: version.parse().map_err(absent)?,
            form: form
                .ok_or_else(|| Refusal::not_acceptable("A dataset comes as a page, as its RO-Crate, or as RDF."))?,
        })
    }
}

/// What cannot be an id is no dataset's.
fn absent(error: impl std::fmt::Display) -> NodeError {
    NodeError::NotFound(error.to_string())
}

async fn answer(site: &Site, asked: Asked) -> Result<Response, Refusal> {
    let mut response = match asked.form {
        Form::Html => page(site, &asked).await?,
        Form::Crate => {
            bytes(&asked, site.node.crate_bytes(&Actor::Anonymous, &asked.id, asked.node.as_ref(), asked.choice)?)
        }
        Form::Turtle => triples(site, &asked, ResultFormat::Turtle).await?,
        Form::NTriples => triples(site, &asked, ResultFormat::NTriples).await?,
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

async fn record(site: &Site, asked: &Asked) -> Result<RecordView, NodeError> {
    site.node.record(&Actor::Anonymous, &asked.id, asked.node.as_ref(), asked.choice).await
}

async fn page(site: &Site, asked: &Asked) -> Result<Response, Refusal> {
    let record = record(site, asked).await?;
    let here = record.own && record.kind == RecordKind::Deposit;
    let manifest = if here {
        Some(site.node.manifest(&Actor::Anonymous, &asked.id, VersionChoice::Number(record.version)).await?)
    } else {
        None
    };
    let mut page = DatasetPage::new(&site.identity, &record, manifest.as_deref());
    let key = record.key();
    let similar = site.node.similar(&Actor::Anonymous, &key.id, Some(&key.node), SIMILAR).await?;
    page.similar = similar.into_iter().map(|hit| HitCard::of(hit, &site.identity.id)).collect();
    // A record that search does not hold yet stands alone for now.
    let study = site.node.study(&Actor::Anonymous, &key.id, Some(&key.node)).await.ok();
    page.study = study.and_then(|study| StudyView::of(&study, &key, &site.identity.id));
    let mut response = html(&page)?;
    for value in signposting::links(&site.identity, &record) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(header::LINK, value);
        }
    }
    Ok(response)
}

/// Triples are kept of the newest version of the record that goes by the bare id.
async fn triples(site: &Site, asked: &Asked, format: ResultFormat) -> Result<Response, Refusal> {
    let wanted = record(site, asked).await?;
    let kept = site.node.record(&Actor::Anonymous, &asked.id, None, VersionChoice::Latest).await?;
    if wanted.key() != kept.key() || wanted.version != kept.version {
        return Err(Refusal::not_acceptable(
            "RDF is kept of a dataset's newest version; of this one, ask for the RO-Crate.",
        ));
    }
    Ok(bytes(asked, site.node.triples(&Actor::Anonymous, &asked.id, format)?))
}

fn bytes(asked: &Asked, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asked.form.media_type()));
    response
}
