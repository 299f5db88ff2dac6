//! stub
/// s
pub fn understand(_: &crate::catalog::Catalog, _: impl std::io::BufRead, _: impl std::io::Write) -> anyhow::Result<()> {
    Ok(())
}
/// s
pub fn answer(_: &crate::faq::Faq, _: impl std::io::BufRead, _: impl std::io::Write) -> anyhow::Result<()> {
    Ok(())
}
