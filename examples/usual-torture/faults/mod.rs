//! The faults, each a function that sets the stage, does harm, lets it heal, and has all compared.

use std::path::Path;

use crate::{Fault, Options, verdict::Verdict};

mod arrivals;
mod clock;
mod copies;
mod crowd;
mod ends;
mod offers;
mod outage;
mod reorder;
mod servers;
mod storage;
mod vendor;

/// Runs the fault that was asked for.
pub async fn run(options: &Options, folder: &Path) -> anyhow::Result<Verdict> {
    match options.fault {
        Fault::Kill => ends::kill(options, folder).await,
        Fault::Stop => ends::stop(options, folder).await,
        Fault::Migrate => ends::migrate(options, folder).await,
        Fault::Power => storage::power(options, folder).await,
        Fault::Full => storage::full(options, folder).await,
        Fault::Readonly => storage::readonly(options, folder).await,
        Fault::Io => storage::io(options, folder).await,
        Fault::Redeliver => arrivals::redeliver(options, folder).await,
        Fault::Reorder => reorder::reorder(options, folder).await,
        Fault::Steady => arrivals::steady(options, folder).await,
        Fault::Flaky => vendor::flaky(options, folder).await,
        Fault::Slow => vendor::slow(options, folder).await,
        Fault::Halfopen => vendor::halfopen(options, folder).await,
        Fault::Outage => outage::outage(options, folder).await,
        Fault::Offers => offers::offers(options, folder).await,
        Fault::Loris => crowd::loris(options, folder).await,
        Fault::Screens => crowd::screens(options, folder).await,
        Fault::Clock => clock::clock(options, folder).await,
        Fault::Backup => copies::backup(options, folder).await,
        Fault::Postgres => servers::postgres(options, folder).await,
        Fault::Replicas => servers::replicas(options, folder).await,
    }
}
