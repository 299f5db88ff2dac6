//! Questions over HTTP that are nobody's channel: whether a shop answers at an address, and what time it is elsewhere.

use std::time::{Duration, SystemTime};

use url::Url;

use crate::moment::Moment;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an address answers with; `None` where it answers nothing that can be read.
pub async fn text(url: &str) -> Option<String> {
    client()?.get(url).send().await.ok()?.text().await.ok()
}

/// The time by a server's clock, where it tells it, and by this machine's at that moment.
pub async fn times(server: &Url) -> Option<(Moment, Moment)> {
    let answer = client()?.head(server.clone()).send().await.ok()?;
    let here = Moment::of(SystemTime::now());
    let date = httpdate::parse_http_date(answer.headers().get("date")?.to_str().ok()?).ok()?;
    Some((Moment::of(date), here))
}

fn client() -> Option<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).build().ok()
}
