//! Conversations of commits whose answer was lost. What such a commit says may wait in the outbox without anybody having
//! handed it in; so the next message of that conversation is not handed in by itself either: all that waits is looked
//! for, and goes in order.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::{
    id::{ConversationId, MerchantId},
    store::Unsent,
};

/// Those whose next message has not come yet.
#[derive(Default)]
pub(super) struct Unconfirmed(Mutex<HashSet<ConversationId>>);

impl Unconfirmed {
    /// A commit that says these was not confirmed.
    pub(super) fn note(&self, posts: &[Unsent]) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.extend(posts.iter().map(|post| post.conversation));
    }

    /// Messages of a commit that was confirmed: those of which nothing was lost, and the conversations to look for.
    pub(super) fn sort(&self, posts: Vec<Unsent>) -> (Vec<Unsent>, Vec<(MerchantId, ConversationId)>) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.is_empty() {
            return (posts, Vec::new());
        }
        let (doubtful, sure): (Vec<Unsent>, Vec<Unsent>) =
            posts.into_iter().partition(|post| ids.contains(&post.conversation));
        let mut looks: Vec<_> = doubtful.into_iter().map(|post| (post.merchant, post.conversation)).collect();
        looks.dedup();
        looks.iter().for_each(|(_, id)| {
            ids.remove(id);
        });
        (sure, looks)
    }
}
