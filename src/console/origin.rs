//! Whether a request was made by a page of this program.
//!
//! A browser says so itself: `Sec-Fetch-Site` where the page is trustworthy (https, or this machine), and `Origin` with
//! every POST. A script that is no browser sends neither and has no staff cookie to abuse.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

use super::Console;

/// What a request's headers say of the page that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// A page of this program.
    Here,
    /// Another site's page.
    Elsewhere,
    /// No browser, or a very old one.
    Unsaid,
}

/// Who made a request. `public` is the address that the world sees; the `Host` of the request counts as well, for a
/// program that is reached by several names.
pub fn of(headers: &HeaderMap, public: &Url) -> Made {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes() == b"same-origin");
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().is_ok_and(|o| is_ours(o, headers, public)));
    match (site, origin) {
        (Some(false), _) | (_, Some(false)) => Made::Elsewhere,
        (Some(true), _) | (None, Some(true)) => Made::Here,
        (None, None) => Made::Unsaid,
    }
}

/// Turns away whatever would change something and was not made by a page of this program.
pub(super) async fn demand(State(console): State<Console>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || of(request.headers(), &console.web.public_url) == Made::Here {
        return next.run(request).await;
    }
    tracing::warn!(path_length = request.uri().path().len(), "a form of another site was turned away");
    (StatusCode::FORBIDDEN, "This was not sent by a page of the console. Open the console and try again.\n")
        .into_response()
}

fn is_ours(origin: &str, headers: &HeaderMap, public: &Url) -> bool {
    if origin == public.origin().ascii_serialization() {
        return true;
    }
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    authority.is_some_and(|authority| Some(authority) == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(pairs: &[(&'static str, &'static str)]) -> Made {
        let headers = pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        of(&headers, &"https://shop.example/".parse().unwrap())
    }

    #[test]
    fn only_our_own_pages_count() {
        let host = ("host", "127.0.0.1:8080");
        assert_eq!(made(&[host]), Made::Unsaid);
        assert_eq!(made(&[host, ("origin", "https://shop.example")]), Made::Here);
        assert_eq!(made(&[host, ("origin", "http://127.0.0.1:8080")]), Made::Here);
        assert_eq!(made(&[host, ("sec-fetch-site", "same-origin")]), Made::Here);
        for origin in ["null", "", "https://evil.example", "http://shop.example", "http://127.0.0.1:80801", "127.0.0.1"]
        {
            assert_eq!(made(&[host, ("origin", origin)]), Made::Elsewhere, "{origin}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert_eq!(made(&[host, ("sec-fetch-site", site)]), Made::Elsewhere, "{site}");
        }
        let both = [host, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")];
        assert_eq!(made(&both), Made::Elsewhere);
    }
}
