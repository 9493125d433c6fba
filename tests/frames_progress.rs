//! What guards a framed socket against a peer that sends bytes and no frames.

mod support;

use std::time::Duration;

use soquete::framing::{Cobs, Format, FrameReader, Json, Lines};
use soquete::net::Socket;
use soquete::timers::{self, Timeout};
use soquete::{event, net};
use support::{note, pair, record, run_to_end};

const DEADLINE: Duration = Duration::from_millis(100);

/// Sends `bytes` every few milliseconds until the socket is closed.
fn drip(client: Socket, bytes: &'static [u8]) -> Timeout {
    client.on(event::Error, |_| {});
    let drip = timers::set_interval(Duration::from_millis(3), move || {
        client.write(bytes);
    });
    client.on(event::Close, move |_| {
        drip.clear();
    });
    drip
}

fn noting<F: Format + 'static>(socket: Socket, format: F) -> net::Frames {
    socket.on(event::Error, |error| note(error.code().to_owned()));
    socket.frames(FrameReader::new(format, 100), |frame| {
        note(String::from_utf8_lossy(frame));
    })
}

fn cut_off_by_its_deadline<F: Format + 'static>(format: F, noise: &'static [u8]) {
    pair(move |served, client| {
        noting(served, format).deadline(DEADLINE);
        drip(client, noise);
    });
    run_to_end();
    assert_eq!(record(), ["ERR_FRAME_TIMEOUT"]);
}

#[test]
fn a_peer_that_drips_white_space_is_cut_off_by_the_deadline() {
    cut_off_by_its_deadline(Json::new(), b" \n");
}

#[test]
fn a_peer_that_drips_blank_lines_is_cut_off_by_the_deadline() {
    cut_off_by_its_deadline(Lines::new().skip_blank(), b"\r\n");
}

#[test]
fn a_peer_that_drips_padding_is_cut_off_by_the_deadline() {
    cut_off_by_its_deadline(Cobs::new(), b"\0");
}

#[test]
fn bytes_between_frames_are_no_activity() {
    pair(|served, client| {
        noting(served, Json::new());
        served.set_timeout(DEADLINE);
        served.on(event::Timeout, move |()| {
            note("timeout");
            served.destroy();
        });
        drip(client, b"\n");
    });
    run_to_end();
    assert_eq!(record(), ["timeout"]);
}

#[test]
fn bytes_of_a_frame_are_an_activity_and_so_are_small_frames() {
    for bytes in [&b"[1,"[..], b"[]"] {
        pair(move |served, client| {
            served.set_timeout(DEADLINE);
            served.on(event::Timeout, |()| note("timeout"));
            let mut came = 0;
            served.on(event::Data, move |chunk| {
                came += chunk.len();
                if came >= 100 {
                    note("came");
                    served.destroy();
                }
            });
            served.frames(FrameReader::new(Json::new(), 200), |_| ());
            drip(client, bytes);
        });
        run_to_end();
        assert_eq!(record(), ["came"]);
    }
}

#[test]
fn a_line_end_behind_the_last_frame_does_not_run_into_the_deadline() {
    pair(|served, client| {
        noting(served, Json::new()).deadline(DEADLINE / 4);
        client.resume().write("[1]");
        let after = |ms, bytes: &'static str| {
            timers::set_timeout(Duration::from_millis(ms), move || {
                client.write(bytes);
            });
        };
        after(10, "\n");
        // A silence that is longer than the deadline, and then white space again.
        after(80, "\n");
        after(150, "\n[2");
        after(152, "]");
        timers::set_timeout(Duration::from_millis(170), move || {
            client.end();
        });
    });
    run_to_end();
    assert_eq!(record(), ["[1]", "[2]"]);
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    a_peer_that_drips_white_space_is_cut_off_by_the_deadline
    a_peer_that_drips_blank_lines_is_cut_off_by_the_deadline
    a_peer_that_drips_padding_is_cut_off_by_the_deadline
    bytes_between_frames_are_no_activity
    bytes_of_a_frame_are_an_activity_and_so_are_small_frames
    a_line_end_behind_the_last_frame_does_not_run_into_the_deadline
}
