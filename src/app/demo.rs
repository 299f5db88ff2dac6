//! The sample shops that ship with the program, so that somebody who has just built it can order something.

use crate::{
    moment::Moment,
    store::{Store, StoreError},
};

/// The shops by merchant id, the one that `/` shows first: catalogue and FAQ.
const SAMPLES: [(&str, &str, &str); 3] = [
    (
        "pizzeria",
        include_str!("../../config/samples/pizzeria/catalog.json"),
        include_str!("../../config/samples/pizzeria/faq.json"),
    ),
    (
        "pharmacy",
        include_str!("../../config/samples/pharmacy/catalog.json"),
        include_str!("../../config/samples/pharmacy/faq.json"),
    ),
    (
        "petshop",
        include_str!("../../config/samples/petshop/catalog.json"),
        include_str!("../../config/samples/petshop/faq.json"),
    ),
];

/// Opens the sample shops in a database that has no shop; whether it did.
pub async fn open_where_empty(store: &Store, now: Moment) -> Result<bool, StoreError> {
    if !store.shops().await?.is_empty() {
        return Ok(false);
    }
    let mut tx = store.begin().await?;
    for (at, (id, catalog, faq)) in SAMPLES.into_iter().enumerate() {
        let Ok(merchant) = id.parse() else { continue };
        let opened = Moment(now.0.saturating_add(i64::try_from(at).unwrap_or(0)));
        tx.import(&merchant, catalog, faq, opened).await?;
    }
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole() {
        for (id, catalog, faq) in SAMPLES {
            let (catalog, findings) = crate::catalog::read::read(catalog).unwrap();
            assert!(findings.is_empty(), "{id}: {findings:?}");
            assert!(catalog.products.len() >= 25 && catalog.languages.len() == 6, "{id}");
            assert!(!catalog.zones.is_empty() && catalog.hours.is_some(), "{id}");
            assert!(catalog.products.iter().all(|p| p.names.0.len() == 6), "{id}: each product in six languages");
            assert!(catalog.groups.iter().any(|g| g.must_be_asked()), "{id}: something has to be asked for");
            crate::faq::read(faq).unwrap();
        }
    }
}
