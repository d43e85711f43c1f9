use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, ServiceExt, extract::Request, serve::ListenerExt};
use http_api::BytesFirst;
use node::{Actor, Background, Node, Scope};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{Config, query_workers::Workers};

/// How long open answers may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// A running node with its HTTP server.
pub struct Server {
    node: Arc<Node>,
    background: Background,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Binds the address, opens the node, and serves in the background.
    ///
    /// # Errors
    /// When the address is taken or the node cannot be opened.
    pub async fn start(config: Config) -> Result<Self> {
        let (node_config, foreign) = (config.to_node()?, config.to_foreign()?);
        // The port first: a node that cannot be reached should not start to work.
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| format!("cannot listen on {}: is another program using it?", config.server.listen))?;
        let address = listener.local_addr()?;
        let node = Node::open_with(node_config, foreign).await?;
        node.use_query_workers(Arc::new(Workers::of_this_program(node.as_ref())?));
        make_first_token(&node)?;
        let background = node.start();
        let (stop, mut stopped) = watch::channel(false);
        let app = BytesFirst::new(node.clone(), app(node.clone()));
        let listener = listener.tap_io(|connection| {
            // Small answers must not wait for the client's acknowledgement; where it fails they are only slower.
            let _ = connection.set_nodelay(true);
        });
        let serving = tokio::spawn(async move {
            axum::serve(listener, ServiceExt::<Request>::into_make_service(app))
                .with_graceful_shutdown(async move {
                    // An error means that the server value is gone: stop as well.
                    let _ = stopped.wait_for(|stop| *stop).await;
                })
                .await
        });
        tracing::info!(node = %node.config().id, %address, url = node.config().public_url, "serving");
        Ok(Self { node, background, address, stop, serving })
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The public address.
    pub fn url(&self) -> &str {
        &self.node.config().public_url
    }

    /// Stops taking requests, lets running ones end, and joins every background task.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.node.close_streams();
        let abort = self.serving.abort_handle();
        if tokio::time::timeout(GRACE, self.serving).await.is_err() {
            tracing::warn!("some answers did not end in time; they are cut off");
            abort.abort();
        }
        self.background.stop().await;
        tracing::info!(node = %self.node.config().id, "stopped");
    }
}

/// Everything the node answers.
fn app(node: Arc<Node>) -> Router {
    let document = serde_json::to_value(http_api::document()).unwrap_or_default();
    http_api::router(node.clone())
        .merge(web_portal::router(node, document))
        .layer(CatchPanicLayer::new())
        // Failures are logged once, where they become an answer; those of a peer or a full queue are not ours.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

/// A fresh node makes its administrator's token and keeps it where only the operator can read it.
fn make_first_token(node: &Node) -> Result<()> {
    if node.has_tokens()? {
        return Ok(());
    }
    let path = node.config().data_dir.join("keys").join("admin-token");
    let token = node.create_token(&Actor::Operator, "first administrator", &[Scope::Admin])?;
    node.write_secret(&path, &token.token).with_context(|| format!("writing {}", path.display()))?;
    tracing::info!(path = %path.display(), "made the administrator's token");
    Ok(())
}
