//! The servers of `examples`, on trial in a simulated world.
//!
//! `SOQUETE_SOAK=60 cargo test --release --test server_trial_examples` goes on with random conversations for a minute.

#[path = "../examples/from_node/chat.rs"]
#[allow(dead_code, reason = "it has a `main` of its own")]
mod chat;
#[path = "../examples/http_server"]
#[allow(dead_code, reason = "its main is another")]
mod http_server {
    pub mod answers;
    pub mod date;
    pub mod files;
    pub mod server;
}
#[path = "../examples/from_node/jobs.rs"]
#[allow(dead_code, reason = "it has a `main` of its own")]
mod jobs;
#[path = "support/resp_trial.rs"]
mod resp_trial;

use std::path::Path;
use std::time::{Duration, Instant};

use soquete::fuzzing::{Conversation, ServerTrial};

#[test]
fn the_resp_server_passes_every_cut() {
    let report = resp_trial::trial().test();
    println!("{} cuts", report.runs);
    assert!(report.runs > 900);
}

/// Holds random conversations, 200 at least.
fn hold_random_ones(trial: &ServerTrial) {
    let seconds = std::env::var("SOQUETE_SOAK").ok();
    let seconds = seconds.map_or(0, |text| text.parse().expect("a number of seconds"));
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut state, mut count) = (1u64, 0u64);
    while count < 200 || Instant::now() < until {
        let bytes: Vec<u8> = (0..60)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        trial.fuzz(&bytes);
        count += 1;
    }
    println!("{count} conversations");
}

#[test]
fn the_resp_server_answers_random_conversations_as_if_they_were_not_cut() {
    hold_random_ones(&resp_trial::trial());
}

fn http() -> ServerTrial {
    let requests = Conversation::new("http")
        .send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect_like(
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n",
        )
        .send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe\r\no")
        .expect_like(
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nhe\r\no",
        )
        .send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n",
        )
        .expect_like(
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nabcde",
        )
        .send("GET /count/3 HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect_like(
            "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n6\r\n0\n1\n2\n\r\n0\r\n\r\n",
        );
    let bad = Conversation::new("a bad request")
        .send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect_like(
            "HTTP/1.1 200 OK\r\nDate: *\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n",
        )
        .send("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n")
        .expect_like(
            "HTTP/1.1 400 Bad Request\r\nDate: *\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nBad Request",
        )
        .closes();
    let folder = env!("CARGO_MANIFEST_DIR");
    let make = move || http_server::server::create(folder, Default::default()).expect("a folder");
    ServerTrial::new(make)
        .conversation(requests)
        .conversation(bad)
        // The clock of the system is not the world's.
        .masked(|answer| {
            let mut from = 0;
            while let Some(at) = answer[from..]
                .windows(6)
                .position(|bytes| bytes == b"Date: ")
            {
                from += at + 6;
                let line = answer[from..]
                    .iter()
                    .take_while(|byte| **byte != b'\r')
                    .count();
                answer.drain(from..from + line);
            }
        })
}

#[test]
fn the_http_server_passes_every_cut() {
    let report = http().test();
    println!("{} cuts", report.runs);
    assert!(report.runs > 1300);
}

#[test]
fn the_http_server_answers_random_conversations_as_if_they_were_not_cut() {
    hold_random_ones(&http());
}

#[test]
fn the_chat_and_the_jobs_of_the_newcomers_pass_every_cut() {
    let chat = Conversation::new("chat")
        .expect("nick?\n")
        .send("ann\n")
        .expect("* ann joined\n")
        .send("/who\n")
        .expect("* ann\n")
        .send("nobody hears this\n/quit\n")
        .expect("bye\n")
        .closes();
    let _ = ServerTrial::new(|| chat::serve("0".into()))
        .conversation(chat)
        .test();
    let jobs = Conversation::new("jobs")
        .send("a 10\n")
        .expect("a done\n")
        .send("b 400\n")
        .expect("b timed out\n")
        .expect("silent for too long\n")
        .closes()
        // What is done later than the client's end has nobody to be told.
        .not_half_closed()
        // Then the answers come in the order in which the jobs are done.
        .not_pipelined();
    let _ = ServerTrial::new(|| jobs::serve("0".into()))
        .conversation(jobs)
        // A pause of a second is silence.
        .pause(Duration::from_millis(500))
        .test();
}

#[test]
fn the_seeds_of_the_fuzz_target_pass() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/resp_server");
    // The crate that is published comes without.
    let Ok(files) = std::fs::read_dir(seeds) else {
        return;
    };
    let trial = resp_trial::trial();
    for file in files {
        let file = file.expect("a file").path();
        println!("{}", file.display());
        trial.fuzz(&std::fs::read(file).expect("bytes"));
    }
}
