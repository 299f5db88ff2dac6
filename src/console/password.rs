//! Passwords: what is accepted, and how they are kept (argon2id at the strength that OWASP's cheat sheet asks for).

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{Salt, SaltString},
};
use tokio::sync::Semaphore;

/// Shortest password, in characters (OWASP ASVS 5.0, 6.2.1).
pub const SHORTEST: usize = 8;

/// Longest password, in characters; long enough for any sentence, and nothing is ever cut off.
pub const LONGEST: usize = 1_000;

/// Memory of one hash, in KiB: 19 MiB.
const MEMORY: u32 = 19 * 1024;

/// Passes over it.
const PASSES: u32 = 2;

/// Lanes.
const LANES: u32 = 1;

/// What is checked where there is no such account, so that the answer takes as long. It is the hash of 32 random bytes
/// that nobody kept, and never counts as right.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRmb3Jub2JvZHk$B3ZwXQxUPXXpnfPjI0cPE2R2m3JzMN0qmhmTVQbYHfY";

/// What people try first; a line each, in lower case.
const COMMONEST: &str = include_str!("commonest-passwords.txt");

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer than [`SHORTEST`] characters.
    #[error("The password needs at least {SHORTEST} characters. Three words that don't belong together are good.")]
    Short,
    /// More than [`LONGEST`] characters.
    #[error("The password can have at most {LONGEST} characters.")]
    Long,
    /// One of the first that anybody tries.
    #[error("This password is one of the first that anybody tries. Choose another.")]
    Common,
}

/// Hashing failed or was not possible: a defect or no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHashed;

/// Whether a password may be chosen, by somebody of that name.
pub fn check(password: &str, name: &str) -> Result<(), Weak> {
    match password.chars().count() {
        n if n < SHORTEST => return Err(Weak::Short),
        n if n > LONGEST => return Err(Weak::Long),
        _ => {}
    }
    let lower = password.trim().to_lowercase();
    let common = COMMONEST.lines().any(|known| known == lower) || lower == name.trim().to_lowercase();
    let one_letter = lower.chars().all(|c| lower.starts_with(c));
    if common || one_letter { Err(Weak::Common) } else { Ok(()) }
}

/// A password's hash in PHC form, with a salt of its own. `turns` lets one at a time be made.
pub async fn hash(password: String, turns: &Semaphore) -> Result<String, NotHashed> {
    let _turn = turns.acquire().await.map_err(|_| NotHashed)?;
    let salt: [u8; Salt::RECOMMENDED_LENGTH] = rand::random();
    run(move || {
        let salt = SaltString::encode_b64(&salt).map_err(|_| NotHashed)?;
        let hash = hasher()?.hash_password(password.as_bytes(), &salt).map_err(|_| NotHashed)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether a password is the one of that hash. With no hash, it takes as long and the answer is no.
pub async fn is_right(password: String, hash: Option<String>, turns: &Semaphore) -> Result<bool, NotHashed> {
    let _turn = turns.acquire().await.map_err(|_| NotHashed)?;
    run(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let parsed = PasswordHash::new(&text).map_err(|_| NotHashed)?;
        let matches = hasher()?.verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(known && matches)
    })
    .await
}

fn hasher() -> Result<Argon2<'static>, NotHashed> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|_| NotHashed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Off the threads that serve pages.
async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T, NotHashed> + Send + 'static) -> Result<T, NotHashed> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(NotHashed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_named() {
        assert_eq!(check("seven77", "Cook"), Err(Weak::Short));
        assert_eq!(check("Password1", "Cook"), Err(Weak::Common));
        assert_eq!(check("aaaaaaaaaaaa", "Cook"), Err(Weak::Common));
        assert_eq!(check("Head of kitchen", "head of Kitchen"), Err(Weak::Common));
        assert_eq!(check(&"ж".repeat(LONGEST + 1), "Cook"), Err(Weak::Long));
        assert_eq!(check(&"жё".repeat(LONGEST / 2), "Cook"), Ok(()));
        assert_eq!(check("oven mitten seven", "Cook"), Ok(()));
    }

    #[tokio::test]
    async fn hashes_are_checked_whole() {
        let turns = Semaphore::new(1);
        let hash = hash("oven mitten seven".into(), &turns).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(is_right("oven mitten seven".into(), Some(hash.clone()), &turns).await, Ok(true));
        assert_eq!(is_right("Oven mitten seven".into(), Some(hash), &turns).await, Ok(false));
        assert_eq!(is_right("oven mitten seven".into(), None, &turns).await, Ok(false));
    }
}
