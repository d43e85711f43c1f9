//! The short way of a chunk. A viewer asks for thousands; router, layers and spans would cost more than reading one.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Either, Ready, ready},
};
use node::Node;
use tower::Service;

use crate::{cors, data, hot_files::HotFiles};

/// Answers plain `GET /data/…` requests itself, and leaves all others to a router, which knows that route as well: both call
/// the same handler, so that they differ in nothing but speed.
#[derive(Clone)]
pub struct BytesFirst {
    node: Arc<Node>,
    hot: Arc<HotFiles>,
    rest: Router,
}

impl BytesFirst {
    /// Puts the short way before a router.
    pub fn new(node: Arc<Node>, rest: Router) -> Self {
        Self { node, hot: Arc::default(), rest }
    }
}

impl Service<Request> for BytesFirst {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.rest, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let path = request.uri().path();
        if request.method() != Method::GET || !path.starts_with("/data/") {
            return Either::Right(self.rest.call(request).boxed());
        }
        if let Some(response) = self.hot.answer(&self.node, path, request.headers()) {
            return Either::Left(ready(Ok(response)));
        }
        if address(path).is_none() {
            return Either::Right(self.rest.call(request).boxed());
        }
        let (node, hot) = (self.node.clone(), self.hot.clone());
        Either::Right(async move { Ok(open(&node, &hot, request.uri().path(), request.headers()).await) }.boxed())
    }
}

/// The answer to the first request for a file.
async fn open(node: &Arc<Node>, hot: &HotFiles, path: &str, headers: &HeaderMap) -> Response {
    let answer = match address(path) {
        Some(address) => data::answer_plainly(node, hot, (path, address), headers).await,
        None => Err(node::NodeError::NotFound("there is no such file".into()).into()),
    };
    let mut response = answer.into_response();
    cors::allow(response.headers_mut());
    response
}

/// Dataset, version and path of a request for bytes, where nothing in it has to be decoded.
fn address(path: &str) -> Option<data::Address<'_>> {
    let rest = path.strip_prefix("/data/").filter(|rest| !rest.contains('%'))?;
    let (id, rest) = rest.split_once('/')?;
    let (version, path) = rest.split_once('/')?;
    if id.is_empty() || version.is_empty() || path.is_empty() { None } else { Some((id, version, path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_mean_what_they_say_go_the_short_way() {
        assert_eq!(address("/data/europe-1/v1/a.zarr/0/c/0"), Some(("europe-1", "v1", "a.zarr/0/c/0")));
        for other in ["/data/europe-1/v1/", "/data/europe-1/v1", "/data//v1/a", "/data/e/v1/a%20b", "/datasets/e/v1/a"]
        {
            assert_eq!(address(other), None, "{other}");
        }
    }
}
