//! How the connects of a thread try several addresses by default.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static AUTO_SELECT_FAMILY: Cell<bool> = const { Cell::new(true) };
    static ATTEMPT_TIMEOUT: Cell<Duration> = const { Cell::new(Duration::from_millis(500)) };
}

/// The least that an attempt is given.
pub(in crate::net) const MIN_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(10);

/// Whether connects of this thread try all addresses of a name by default. True at
/// first.
#[doc(alias = "getDefaultAutoSelectFamily")]
pub fn get_default_auto_select_family() -> bool {
    AUTO_SELECT_FAMILY.get()
}

/// Sets what [`get_default_auto_select_family`] returns.
#[doc(alias = "setDefaultAutoSelectFamily")]
pub fn set_default_auto_select_family(on: bool) {
    AUTO_SELECT_FAMILY.set(on);
}

/// How long connects of this thread try one address before the next by default. 500 ms
/// at first.
#[doc(alias = "getDefaultAutoSelectFamilyAttemptTimeout")]
pub fn get_default_auto_select_family_attempt_timeout() -> Duration {
    ATTEMPT_TIMEOUT.get()
}

/// Sets what [`get_default_auto_select_family_attempt_timeout`] returns; at least 10 ms.
#[doc(alias = "setDefaultAutoSelectFamilyAttemptTimeout")]
pub fn set_default_auto_select_family_attempt_timeout(timeout: Duration) {
    ATTEMPT_TIMEOUT.set(timeout.max(MIN_ATTEMPT_TIMEOUT));
}
