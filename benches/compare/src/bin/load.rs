//! The load generator. Started by the orchestrator; see `soquete_compare::load`.

use std::process::ExitCode;

use soquete_compare::load::{
    Options, broadcast, bulk, drip, exchange, hold, http, open, promise, reconnect, storm,
    websocket,
};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("{complaint}");
            return ExitCode::FAILURE;
        }
    };
    let done = match options.workload.as_str() {
        "ping-pong" => exchange::ping_pong(&options),
        "frames" => exchange::frames(&options),
        "http" => http::run(&options, 1),
        "http-pipelined" => http::run(&options, exchange::OUTSTANDING),
        "websocket" => websocket::run(&options, 1),
        "websocket-pipelined" => websocket::run(&options, exchange::OUTSTANDING),
        "upload" => bulk::run(&options, bulk::Direction::Upload),
        "download" => bulk::run(&options, bulk::Direction::Download),
        "pipe" => bulk::run(&options, bulk::Direction::Pipe),
        "pipe-copied" => bulk::run(&options, bulk::Direction::CopiedPipe),
        "pipe-in-turn" => bulk::run(&options, bulk::Direction::PipeInTurn),
        "connect" => reconnect::run(&options),
        "open" => open::run(&options),
        "drip" => drip::run(&options),
        "promise" => promise::run(&options),
        "storm" => storm::run(&options),
        "broadcast" => broadcast::run(&options),
        "hold" => hold::run(&options),
        unknown => Err(std::io::Error::other(format!("unknown workload {unknown}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", serde_json::json!({ "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}
