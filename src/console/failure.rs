//! What goes wrong behind a page, as an answer: logged once, without anything that a person wrote.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug)]
pub enum Failure {
    /// There is no such thing in this shop.
    Missing,
    /// The form holds something that no button of the page sends.
    Form,
    /// The store refused.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Failure::Missing => (StatusCode::NOT_FOUND, "This is not here, or not any more.\n").into_response(),
            Failure::Form => (StatusCode::BAD_REQUEST, "This form can't be read.\n").into_response(),
            Failure::Store(StoreError::Busy(why)) => {
                tracing::warn!(%why, "the database was busy");
                let wait = [(header::RETRY_AFTER, "2")];
                (StatusCode::SERVICE_UNAVAILABLE, wait, "It is busy; try again in a moment.\n").into_response()
            }
            Failure::Store(error) => {
                tracing::error!(%error, "a page could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong; it is in the log.\n").into_response()
            }
        }
    }
}
