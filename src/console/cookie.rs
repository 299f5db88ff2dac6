//! Cookies, read and written. With https every name gets the `__Host-` prefix, which browsers give to this host alone.

use axum::http::{HeaderMap, HeaderValue, header};

/// What a browser may do with a cookie when another site leads to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// It is sent when somebody follows a link to this site.
    Lax,
    /// It is never sent.
    Strict,
}

/// The value of a cookie.
pub fn read<'a>(headers: &'a HeaderMap, name: &str, https: bool) -> Option<&'a str> {
    let name = full_name(name, https);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// A `Set-Cookie` header for so many seconds; 0 takes the cookie back. No script can read it. `None` where the value
/// can't stand in a header.
pub fn write(name: &str, value: &str, same_site: SameSite, seconds: i64, https: bool) -> Option<HeaderValue> {
    let name = full_name(name, https);
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
    HeaderValue::try_from(text).ok()
}

fn full_name(name: &str, https: bool) -> String {
    if https { format!("__Host-{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; session=x=y".parse().unwrap());
        headers.append(header::COOKIE, "__Host-session=z".parse().unwrap());
        assert_eq!(read(&headers, "session", false), Some("x=y"));
        assert_eq!(read(&headers, "session", true), Some("z"));
        assert_eq!(read(&headers, "a", true), None);
    }

    #[test]
    fn attributes_follow_the_address() {
        let plain = write("visitor", "v", SameSite::Lax, 60, false).unwrap();
        assert_eq!(plain, "visitor=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let bound = write("session", "", SameSite::Strict, 0, true).unwrap();
        assert_eq!(bound, "__Host-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }
}
