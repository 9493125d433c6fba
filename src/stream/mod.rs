//! Knowing when sockets are done, and joining several: Node's `stream.finished` and
//! `stream.pipeline`.
//!
//! | | tells | and destroys |
//! |---|---|---|
//! | [`Socket::pipe`](crate::net::Socket::pipe) | nothing | nothing |
//! | [`finished`] | that a socket has ended, failed, or closed too early | nothing |
//! | [`pipeline`] | that all of it was carried over, or what went wrong | all of them, when one fails |

mod finished;
mod pipeline;

pub use finished::{Finished, FinishedOptions, finished, finished_with};
pub use pipeline::{pipeline, pipeline_with};
