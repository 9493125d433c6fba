//! What is asked for on the command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use soquete::fuzzing::Cut;

pub const HELP: &str = "\
Finds out whether the answers of a server depend on how the bytes of its requests are cut.

    fragments [OPTIONS] HOST:PORT CONVERSATION...

Each conversation is a file, of which each line says what is sent (`> text`), what must be received exactly (`< text`)
or with parts that vary (`~ text`, in which `*` is any run of bytes within a line); `! closes` says that the server ends
the connection. \\r \\n \\t \\0 \\\\ \\* and \\xHH stand for bytes:

    > GET / HTTP/1.1\\r\\n
    > Host: a\\r\\n
    > \\r\\n
    ~ HTTP/1.1 200 *\\r\\n
    ~ Date: *\\r\\n
    < \\r\\n

It is held whole, cut at every byte, byte by byte, pipelined, dripped, half-closed after the last byte, ended and reset
at every byte. The server must not mind what was said before, or is said on other connections.

    --only CUT           whole, cut@N, bytewise, pipelined, pipelined@N, dripped, paused@N, half-closed, ended@N, reset@N
    --at-once N          connections at a time                                  32
    --places N           places at which a long conversation is cut, about      2048
    --patience SECONDS   how long an answer, or the server's end, may take      5
    --drip MS            between two bytes that are dripped                     5
    --pause MS           the long pause of paused@N                             300
    --time SECONDS       after which nothing new is begun                       600
    --elsewhere          the server may be on another machine
    --help               this

The exit code is 0 if all is well, 1 if something was found, 2 if not all could be tried.
";

pub enum Asked {
    Help,
    Trial(Box<Options>),
}

pub struct Options {
    pub address: SocketAddr,
    pub files: Vec<PathBuf>,
    pub only: Option<Cut>,
    pub at_once: usize,
    pub places: usize,
    pub patience: Duration,
    pub drip: Duration,
    pub pause: Duration,
    pub lasts: Duration,
}

/// More would be no test of how bytes are cut, but of how many connections there can be.
const MOST_AT_ONCE: u64 = 500;

impl Options {
    pub fn of(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
        let mut arguments = arguments;
        let mut options = Options {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            files: Vec::new(),
            only: None,
            at_once: 32,
            places: 2048,
            patience: Duration::from_secs(5),
            drip: Duration::from_millis(5),
            pause: Duration::from_millis(300),
            lasts: Duration::from_secs(600),
        };
        let mut address = None;
        let mut is_elsewhere = false;
        while let Some(argument) = arguments.next() {
            let mut number = |most: u64| {
                let value = arguments.next().unwrap_or_default();
                match value.parse::<u64>() {
                    Ok(number) if (1..=most).contains(&number) => Ok(number),
                    _ => Err(format!(
                        "{argument} takes a number from 1 to {most}, not {value:?}"
                    )),
                }
            };
            match argument.as_str() {
                "--help" | "-h" => return Ok(Asked::Help),
                "--elsewhere" => is_elsewhere = true,
                "--at-once" => options.at_once = number(MOST_AT_ONCE)? as usize,
                "--places" => options.places = number(1 << 20)? as usize,
                "--patience" => options.patience = Duration::from_secs(number(3600)?),
                "--time" => options.lasts = Duration::from_secs(number(86_400)?),
                "--drip" => options.drip = Duration::from_millis(number(60_000)?),
                "--pause" => options.pause = Duration::from_millis(number(600_000)?),
                "--only" => {
                    let cut = arguments.next().unwrap_or_default();
                    options.only = Some(
                        cut.parse()
                            .map_err(|error| format!("--only {cut:?}: {error}"))?,
                    );
                }
                unknown if unknown.starts_with('-') => {
                    return Err(format!("{unknown:?} is unknown; --help says what there is"));
                }
                _ if address.is_none() => address = Some(argument),
                _ => options.files.push(argument.into()),
            }
        }
        let address = address.ok_or("which server? --help says more")?;
        if options.files.is_empty() {
            return Err("no conversation is given; --help says more".into());
        }
        options.address = found(&address, is_elsewhere)?;
        Ok(Asked::Trial(Box::new(options)))
    }
}

/// The address of a server. One of another machine is refused unless it was asked for: thousands of broken
/// connections are not for everybody.
fn found(text: &str, is_elsewhere: bool) -> Result<SocketAddr, String> {
    let addresses = text
        .to_socket_addrs()
        .map_err(|error| format!("{text:?} is no HOST:PORT that can be found: {error}"))?;
    let mut refused = None;
    for address in addresses {
        if is_elsewhere || address.ip().to_canonical().is_loopback() {
            return Ok(address);
        }
        refused = Some(address);
    }
    Err(match refused {
        Some(address) => {
            format!("{address} is not of this machine's loopback; --elsewhere allows that")
        }
        None => format!("{text:?} has no address"),
    })
}
