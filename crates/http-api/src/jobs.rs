//! Jobs: `/api/v1/jobs/{id}`, and how deposits begin them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::StreamExt;
use node::{ConversionRequest, JobKind, JobView, Node};
use serde_json::{Value, json};

use crate::{Problem, authentication::Asking, deposits::dataset_id, request_body};

/// How often a silent stream gives a sign of life: more often than proxies give up.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// A job as it is; as `text/event-stream`, from now to its end.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "Job id"),
        ("Accept" = Option<String>, Header, description = "`text/event-stream`: an event `progress` at every change, and `end` with the final state")),
    responses((status = 200, description = "The job"), (status = 404, description = "No such job")), security(("token" = ["deposit"])))]
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !wants_events(&headers) {
        return Ok(([(header::CACHE_CONTROL, "no-store")], Json(with_links(&node.job(&actor, &id)?))).into_response());
    }
    let events = node.watch_job(&actor, &id)?.map(|view| Ok::<_, Infallible>(event(&view)));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response();
    // Buffering proxies would keep the progress to themselves.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Ends a job: one that waits at once, one that runs as soon as its work lets go.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "Job id")),
    responses((status = 202, description = "The job; it is `cancelled` once its work has let go"), (status = 409, description = "It has ended already")), security(("token" = ["deposit"])))]
pub(crate) async fn cancel(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(with_links(&node.cancel_job(&actor, &id)?))))
}

/// The jobs about a deposit, oldest first.
#[utoipa::path(get, path = "/api/v1/deposits/{id}/jobs", tag = "jobs", params(("id" = String, Path, description = "Draft id")),
    responses((status = 200, description = "Jobs")), security(("token" = ["deposit"])))]
pub(crate) async fn of_deposit(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let jobs: Vec<Value> = node.jobs_of(&actor, &dataset_id(&id)?)?.iter().map(with_links).collect();
    Ok(Json(json!({"jobs": jobs})))
}

/// Makes OME-Zarr images of a draft's microscope files, as a job. The files stay as they are.
#[utoipa::path(post, path = "/api/v1/deposits/{id}/convert", tag = "jobs", params(("id" = String, Path, description = "Draft id")),
    request_body(content = Value, description = "`{\"paths\": [\"cells.ome.tif\"]}`, or nothing for every file that can be converted"),
    responses((status = 202, description = "The job; `Location` says where it is"), (status = 409, description = "Another job is at work on the draft")), security(("token" = ["deposit"])))]
pub(crate) async fn convert(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let text = request_body::read_text(&node, body).await?;
    let request = match text.trim() {
        "" => ConversionRequest::default(),
        text => serde_json::from_str(text)
            .map_err(|error| Problem::invalid(format!("the body is not {{\"paths\": […]}}: {error}")))?,
    };
    Ok(accepted(&node.start_job(&actor, &dataset_id(&id)?, JobKind::Convert, request)?))
}

/// Whether a client would rather not wait (RFC 7240 §4.1).
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|token| token.trim().eq_ignore_ascii_case("respond-async"))
}

/// The answer to a request that became a job.
pub(crate) fn accepted(view: &JobView) -> Response {
    let headers = [
        ("location", format!("/api/v1/jobs/{}", view.id)),
        ("preference-applied", "respond-async".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    (StatusCode::ACCEPTED, headers, Json(with_links(view))).into_response()
}

fn with_links(view: &JobView) -> Value {
    let mut value = json!(view);
    let base = format!("/api/v1/jobs/{}", view.id);
    value["links"] = json!({"self": base, "deposit": format!("/api/v1/deposits/{}", view.deposit)});
    value
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.split(',').any(|range| range.trim().starts_with("text/event-stream")))
}

fn event(view: &JobView) -> Event {
    let name = if view.state.is_final() { "end" } else { "progress" };
    Event::default().event(name).data(with_links(view).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_found_among_others() {
        let prefers = |value: &'static str| {
            prefers_async(&HeaderMap::from_iter([(
                header::HeaderName::from_static("prefer"),
                HeaderValue::from_static(value),
            )]))
        };
        assert!(prefers("respond-async"));
        assert!(prefers("wait=10, Respond-Async"));
        assert!(!prefers("return=minimal"));
        assert!(!prefers_async(&HeaderMap::new()));
    }
}
