//! The program's outer shell: the accept loop, and the pages that customers see.

pub mod chat;
pub mod http;
mod words;
