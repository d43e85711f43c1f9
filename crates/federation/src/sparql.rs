use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use crate::{
    FederationError, Limits,
    fetch::{self, Expected},
};

const RESULTS: &str = "application/sparql-results+json";

/// Asks the SPARQL endpoint of a node a SELECT query (SPARQL 1.1 Protocol §2.1.3), once. The answer is its JSON as it came.
///
/// # Errors
/// When it does not answer in time, with another status than 200, with something else than SPARQL results in JSON, with more
/// bytes than `most`, or sends us on to another host.
pub async fn ask_sparql(endpoint: &str, query: &str, time: Duration, most: u64) -> Result<Bytes, FederationError> {
    let client = fetch::client(&Limits::default())?;
    let request = client.post(endpoint).timeout(time).body(query.to_owned());
    let request = request.header(CONTENT_TYPE, "application/sparql-query").header(ACCEPT, RESULTS);
    let expected = Expected { media_type: RESULTS, bytes: most };
    let response = fetch::send(request, endpoint, expected).await?;
    fetch::body(response, endpoint, expected).await
}
