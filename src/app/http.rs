//! The accept loop. `axum::serve` installs no timer, so that a client which sends nothing, or one letter at a time, keeps
//! its connection for ever; here everything has a limit.
//!
//! Promises: a connection on which no whole request head arrives within [`HEAD_WITHIN`] is closed, the first as any
//! later one; a handler answers within [`ANSWER_WITHIN`] (its body may stream on) or its client gets a 503; a client
//! that takes nothing for [`TAKEN_WITHIN`] is dropped, so that a stream nobody reads costs a buffer and no more. A
//! handler that panics costs its own request alone.
//!
//! At the end no new connection is taken, requests under way may finish within [`DRAIN_WITHIN`], and what is left then
//! is cut off. Streams watch the same token and end by themselves.

use std::{convert::Infallible, io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::console::PeerAddress;

/// Most connections at once. Each open page of a chat holds one; ten thousand of them were measured at 200 MB. Further
/// ones wait in the system's queue.
pub const MOST_CONNECTIONS: usize = 12_000;

/// For a whole request head to arrive, from the connection or the last answer on.
pub const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// For a handler to begin its answer, the reading of the request's body included.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// For a client to take anything of what is waiting for it.
pub const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// For requests under way to finish when the program ends.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(15);

/// After a refused accept, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Largest request head, in bytes; a browser's have two thousand.
const LARGEST_HEAD: usize = 32 * 1024;

/// Serves until `shutdown` is cancelled, and a little longer; see the file's head.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, address, place)) => {
                open.spawn(connection(stream, address, place, router.clone(), shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, open = open.len(), "a connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let drained = timeout(DRAIN_WITHIN, async { while open.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(left = open.len(), "connections were cut off at the end");
        open.shutdown().await;
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, place))
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    place: OwnedSemaphorePermit,
    router: Router,
    shutdown: CancellationToken,
) {
    // Small answers leave at once. Where the system refuses, they leave a little later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request.map(Body::new), address).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_header_size(LARGEST_HEAD);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
    // What ends a connection (a closed laptop, a timeout) is the client's affair and no event of ours.
    let _ = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    drop(place);
}

async fn answer(router: Router, mut request: Request, address: SocketAddr) -> Response {
    request.extensions_mut().insert(PeerAddress(address));
    let answer = AssertUnwindSafe(router.oneshot(request)).catch_unwind();
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => {
            tracing::warn!("a request took too long");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
