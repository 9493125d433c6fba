//! Servers on trial.
//!
//! ```text
//!   trial ── which conversations, in which ways        random ── likewise, out of a fuzzer's bytes
//!     │         course, conversation, text, cut, finding
//!   once ─── one of them with a fresh server: in a world, or over loopback; what stays open
//!     │
//!   talk ─── one connection: sends the pieces, hears the answers
//!               expectation
//! ```

mod conversation;
mod course;
mod cut;
mod expectation;
mod finding;
mod once;
mod random;
mod talk;
mod text;
mod trial;

pub use conversation::{Conversation, ConversationError};
pub use course::Progress;
pub use cut::{Cut, UnknownCut};
pub use expectation::Seen;
pub use finding::{Finding, TrialReport};
pub use trial::ServerTrial;
