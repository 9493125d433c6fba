//! HTTP/1.1 requests over connections that are kept, one at a time or several in one write.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;

use super::connect::{connect_blocking, connect_one};
use super::exchange::{Dialogue, exchange};
use super::{Options, PATIENCE};

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const BODY: &[u8] = b"Hello, world!\n";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// How long a date is, whatever the day (RFC 9110, section 5.6.7).
const DATE: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();

/// Asks for `/hello` over `--connections`, with so many `requests` under way on each.
pub fn run(options: &Options, requests: usize) -> io::Result<()> {
    let answer = sample(&mut connect_one(options)?)?;
    let date = check(&answer)?;
    let dialogue = repeated(&answer, &date, requests);
    let streams = connect_blocking(options, options.connections)?;
    exchange(options, streams, requests as u64, |_| dialogue.clone())
}

/// One answer. All others must be like it, but for the date.
fn sample(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.write_all(REQUEST)?;
    let mut answer = read_head(stream)?;
    let head = answer.len();
    answer.resize(head + BODY.len(), 0);
    stream.read_exact(&mut answer[head..])?;
    Ok(answer)
}

/// Reads a head, and nothing behind it.
pub(super) fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    while !head.ends_with(END_OF_HEAD) {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(head)
}

/// Checks that an answer says what those of all servers say, and finds its date.
fn check(answer: &[u8]) -> io::Result<Range<usize>> {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let fields = [
        "\r\ncontent-type: text/plain\r\n",
        "\r\ncontent-length: 14\r\n",
    ];
    let date = text.find("\r\ndate: ").map(|at| at + "\r\ndate: ".len());
    match date {
        Some(date)
            if text.starts_with("http/1.1 200 ok\r\n")
                && fields.iter().all(|field| text.contains(field))
                && answer.ends_with(BODY) =>
        {
            Ok(date..date + DATE)
        }
        _ => Err(io::Error::other(format!("the server answers {text:?}"))),
    }
}

fn repeated(answer: &[u8], date: &Range<usize>, times: usize) -> Dialogue {
    let mut known = Vec::new();
    for start in (0..times).map(|nth| nth * answer.len()) {
        known.push(start..start + date.start);
        known.push(start + date.end..start + answer.len());
    }
    Dialogue {
        known,
        ..Dialogue::new(REQUEST.repeat(times), answer.repeat(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\
        Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nHello, world!\n";

    #[test]
    fn an_answer_is_known_but_for_its_date() {
        let date = check(ANSWER).unwrap();
        assert_eq!(&ANSWER[date.clone()], b"Sun, 06 Nov 1994 08:49:37 GMT");
        let dialogue = repeated(ANSWER, &date, 2);
        let unknown: usize =
            2 * ANSWER.len() - dialogue.known.iter().map(Range::len).sum::<usize>();
        assert_eq!(unknown, 2 * DATE);
    }

    #[test]
    fn an_answer_of_another_kind_is_refused() {
        let text = String::from_utf8_lossy(ANSWER);
        assert!(check(text.replace("200 OK", "404 Not Found").as_bytes()).is_err());
        assert!(check(text.replace("world", "there").as_bytes()).is_err());
    }
}
