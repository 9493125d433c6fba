//! The guide: a page for each question that no single item's documentation answers.
//!
//! | page | the question |
//! |---|---|
//! | [`from_node`] | How does a program move over, step by step? |
//! | [`state`] | How do listeners share state, and which calls run listeners at once? |
//! | [`errors`] | Why did `run` return, and what does a reset do? |
//! | [`backpressure`] | What if the peer reads more slowly than the program writes? |
//! | [`half_close`] | What if the peer ends, and an answer is still to come? |
//! | [`timeouts`] | How does a server get rid of peers that are slow or silent? |
//! | [`shutting_down`] | How does a server stop without cutting anybody off? |
//! | [`threads`] | How do other threads, signals and standard input reach the loop? |
//! | [`cores`] | How does one server use all cores? |
//! | [`machines`] | And several machines? |
//! | [`framing`] | How do bytes become messages? |
//! | [`testing`] | How is all this tested, without real time and without luck? |
//! | [`differences`] | Where does the crate differ from Node, and why? |
//!
//! The crate's tests compile every example, and run it unless it would wait for somebody. Servers listen on port 0, which lets the system choose a port,
//! and close when they have served their client, so that each example ends by itself.

#[doc(alias = "broadcast")]
#[doc(alias = "highWaterMark")]
pub mod backpressure;
#[doc(alias = "cluster")]
#[doc(alias = "worker_threads")]
pub mod cores;
pub mod differences;
#[doc(alias = "ECONNRESET")]
#[doc(alias = "uncaughtException")]
pub mod errors;
pub mod framing;
#[doc(alias = "http")]
#[doc(alias = "readline")]
#[doc(alias = "tls")]
pub mod from_node;
#[doc(alias = "allowHalfOpen")]
pub mod half_close;
#[doc(alias = "broadcast")]
#[doc(alias = "redis")]
pub mod machines;
#[doc(alias = "beforeExit")]
#[doc(alias = "SIGTERM")]
pub mod shutting_down;
pub mod state;
pub mod testing;
#[doc(alias = "postMessage")]
#[doc(alias = "SIGINT")]
#[doc(alias = "SIGTERM")]
#[doc(alias = "stdin")]
pub mod threads;
pub mod timeouts;

/// The programs of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
