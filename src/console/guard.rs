//! Headers that every answer carries, errors included, and that tell a browser what a page of this program never does.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header, header::HeaderName},
    middleware::{self, Next},
    response::Response,
};

/// Only files of this program, nothing inline, nothing framed, forms to this program alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For how long a browser insists on https once it has seen it, in seconds: a year, the least that OWASP ASVS asks for.
const INSIST: &str = "max-age=31536000";

/// A referrer stays within the program. `no-referrer` would also empty the `Origin` of its own forms.
const REFERRER: &str = "same-origin";

const FIXED: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, REFERRER),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// Adds the headers to every answer of a router. Call it last, when all routes are in.
pub fn guard(router: Router, https: bool) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        add(&mut response, https);
        response
    }))
}

fn add(response: &mut Response, https: bool) {
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(INSIST));
    }
    // What says nothing of its own about keeping is personal.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
