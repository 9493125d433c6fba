//! Rows of `soquete::guide::differences` that no other test shows.

mod support;

use std::path::Path;
use std::time::Duration;

use soquete::net::{self, BlockList, ConnectOptions};
use soquete::{Error, event};
use support::{note, record, run_to_end};

#[test]
fn an_attempt_timeout_of_zero_is_the_least() {
    net::set_default_auto_select_family_attempt_timeout(Duration::ZERO);
    let least = net::get_default_auto_select_family_attempt_timeout();
    assert_eq!(least, Duration::from_millis(10));
    net::set_default_auto_select_family_attempt_timeout(Duration::MAX);
    let most = net::get_default_auto_select_family_attempt_timeout();
    assert_eq!(most, Duration::MAX);
}

#[test]
fn a_misuse_error_that_is_due_is_dropped_by_destroy() {
    let misuse = || net::connect(ConnectOptions::new(1).local_address("nonsense"));
    misuse().on(event::Error, |error| note(error.code()));
    let destroyed = misuse();
    destroyed.on(event::Error, |error| note(format!("destroyed: {error}")));
    destroyed.on(event::Close, |had_error| note(format!("close {had_error}")));
    destroyed.destroy();
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["ERR_INVALID_IP_ADDRESS", "close false"]);
}

#[test]
fn errors_of_paths_have_no_port_and_numbers_are_positive() {
    let tell = |error: &Error| {
        note(format!(
            "{} {:?} {:?}",
            error.code(),
            error.errno(),
            error.port()
        ))
    };
    net::connect(Path::new("/nonexistent/socket")).on(event::Error, move |error| tell(error));
    let server = net::create_server(|_| {});
    server.on(event::Error, move |error| {
        tell(error);
        server.close();
    });
    server.listen(Path::new("/nonexistent/socket"));
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["EACCES Some(13) None", "ENOENT Some(2) None"]);
}

#[test]
fn the_addresses_of_a_block_list_are_told_newest_first() {
    let list = BlockList::new();
    let addresses = ["9.9.9.9", "1.1.1.1", "5.5.5.5", "7.7.7.7"];
    for address in addresses {
        list.add_address(address).unwrap();
    }
    let newest_first = addresses.map(|address| format!("Address: IPv4 {address}"));
    assert!(list.rules().iter().eq(newest_first.iter().rev()));
}
