//! The files that pages load: style, scripts, icon. They are inside the binary, and their address holds a hash of them
//! all, so that a browser may keep them for good and still never runs an old script with a new page.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// Bytes of the hash that stand in an address: two versions that share them will not be met.
const HASH_BYTES: usize = 8;

/// For an address of this very version.
const KEEP: &str = "public, max-age=31536000, immutable";

/// For an address of another version: a page that was loaded before an update.
const ASK: &str = "no-cache";

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [(&str, &str, &str); 6] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("chat.js", SCRIPT, include_str!("assets/chat.js")),
    ("console.js", SCRIPT, include_str!("assets/console.js")),
    ("htmx.min.js", SCRIPT, include_str!("assets/htmx.min.js")),
    ("sse.min.js", SCRIPT, include_str!("assets/sse.min.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, content) in FILES {
        hash.update(name);
        hash.update(content);
    }
    hash.finalize().iter().take(HASH_BYTES).fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
});

/// The address of a file.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

pub(super) async fn serve(Path((version, name)): Path<(String, String)>) -> Response {
    let Some((_, kind, content)) = FILES.into_iter().find(|(file, _, _)| *file == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if version == *VERSION { KEEP } else { ASK };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], content).into_response()
}
