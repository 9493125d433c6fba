//! The RESP example speaks as Redis does: the same bytes go to both, and the same bytes have to come
//! back. Where there is no `redis-server`, only the answers that are written down here are compared.
//! The suite that Redis has for its protocol runs against it as well, where that is to be had.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[path = "support/redis.rs"]
mod redis;
#[path = "support/redis_suite.rs"]
mod redis_suite;

use redis::Redis;

#[path = "../examples/resp_server"]
mod resp {
    pub mod commands;
    pub mod integer;
    pub mod protocol;
    pub mod reply;
    pub mod server;
    pub mod store;
}

/// How long an answer may take before a test gives it up.
const TOO_LONG: Duration = Duration::from_secs(20);

/// Scripts of typed requests. Each is one connection, to an empty server.
const SCRIPTS: &[&str] = &[
    "PING\nPING hello\nPING a b\nECHO x\nECHO\nping\n\r\n\nQUIT now\nPING\n",
    "GET a\nSET a 1\nGET a\nGeT a\nGET\nSET a\nGET a b\nMSET a 1 b 2\nMGET a b c a\nMSET a\nMSET a 1 b\nMGET\n",
    "SET a 1 NX\nSET a 2 NX\nSET b 1 XX\nSET a 2 XX\nGET a\nGET b\nSET a 3 NX XX\nSET a 3 GET\nSET c 3 GET\n\
     SET c 4 NX GET\nSET d 4 XX GET\nSET a b FOO\nLPUSH l 1\nSET l 2 GET\nSET l 2\nGET l\n",
    "SET a b EX\nSET a b EX 0\nSET a b PX -1\nSET a b EX x\nSET a b EX 1 PX 1\nSET a b EX 1 KEEPTTL\nSET a b KEEPTTL KEEPTTL\n\
     SET a b EX 9223372036854775807\nSET a b PX 9223372036854775807\nSET a b EX 100\nTTL a\nSET a c KEEPTTL\n\
     TTL a\nSET a c\nTTL a\nTTL x\nPTTL x\nSET a b EXAT 1\nGET a\nSET a b PXAT 99999999999999\nGET a\n",
    "EXPIRE a 10\nSET a 1\nEXPIRE a 10\nTTL a\nEXPIRE a 20 NX\nEXPIRE a 5 GT\nEXPIRE a 50 GT\nTTL a\nEXPIRE a 60 LT\n\
     EXPIRE a 40 LT\nTTL a\nPERSIST a\nPERSIST a\nEXPIRE a 10 XX\nEXPIRE a 10 GT\nEXPIRE a 10 NX XX\n\
     EXPIRE a 10 GT LT\nEXPIRE a 10 foo\nEXPIRE a x\nEXPIRE a\nEXPIRE a 9223372036854775807\n\
     PEXPIRE a 9223372036854775807\nPEXPIRE a 100000\nTTL a\nEXPIRE a -1\nEXISTS a\nDBSIZE\n",
    "INCR i\nINCR i\nDECR i\nINCRBY i 40\nDECRBY i 2\nGET i\nINCRBY i x\nINCRBY i 1.5\nINCRBY i\nSET i 9223372036854775807\n\
     INCR i\nDECRBY i -9223372036854775808\nSET i -9223372036854775808\nDECR i\nSET i ' 1'\nINCR i\nSET i 01\nINCR i\n\
     SET i -0\nINCR i\nSET i ''\nINCR i\nSET i 12345678901234567890123\nINCR i\nLPUSH l 1\nINCR l\n",
    "LPUSH l a b c\nRPUSH l d e\nLRANGE l 0 -1\nLRANGE l 1 2\nLRANGE l -2 -1\nLRANGE l -100 100\nLRANGE l 3 1\nLRANGE l 9 10\n\
     LRANGE l 0 -9\nLRANGE l a 1\nLRANGE none 0 1\nLRANGE none x 1\nLRANGE l -9223372036854775808 9223372036854775807\n\
     LLEN l\nLLEN none\nLPOP l\nRPOP l\nLPOP l 2\nRPOP l 0\nLPOP l -1\nLPOP l x\nLPOP l 1 1\nRPOP l 1 1\nLPOP l 10\nLPOP l\n\
     LPOP l 1\nLPOP l 0\nEXISTS l\nLPUSH l\nTYPE l\n",
    "SET s x\nLPUSH s 1\nRPUSH s 1\nLPOP s\nLPOP s 1\nRPOP s\nLRANGE s 0 1\nLLEN s\nLPUSH l 1\nGET l\nMGET l s\nTYPE l\nTYPE s\nTYPE n\n",
    "MSET a 1 b 2 c 3\nDEL a b a x\nEXISTS c c d\nDEL\nEXISTS\nDBSIZE\nDBSIZE x\nFLUSHALL foo\nFLUSHALL ASYNC SYNC\nFLUSHALL SYNC\nDBSIZE\n",
    "SET a 1\nSELECT 1\nGET a\nSET a 2\nSELECT 15\nSELECT 16\nSELECT -1\nSELECT x\nSELECT\nDBSIZE\nSELECT 1\nFLUSHDB\nDBSIZE\nSELECT 0\n\
     DBSIZE\nFLUSHDB\nDBSIZE\n",
    "HELLO\nHELLO 2\nHELLO 3\nGET none\nLPOP none 1\nMGET none\nCONFIG GET save\nHELLO 4\nHELLO 1\nHELLO x\nHELLO 3 foo\n\
     HELLO 3 AUTH a b\nHELLO 3 AUTH default x SETNAME me\nCLIENT GETNAME\nHELLO 2 SETNAME 'a b'\nHELLO 3 SETNAME\nGET none\nHELLO 2\nGET none\n",
    "CLIENT\nCLIENT GETNAME\nCLIENT SETNAME a\nCLIENT GETNAME\nCLIENT SETNAME 'a b'\nCLIENT SETNAME ''\nCLIENT GETNAME\nCLIENT SETNAME\n\
     CLIENT ID x\nCLIENT FOO\nCONFIG\nCONFIG GET\nCONFIG FOO\nCONFIG GET appendonly\nCONFIG GET none\nCOMMAND FOO\nCOMMAND COUNT x\n",
    "foo\nfoo a b\nfoo \"a\\r\\nb\" '' \"\\xff\"\n'' a\nFOO-THAT-IS-LONGER-THAN-ANY-COMMAND 1\n",
    "SET \"a b\" 'c\\'d\"'\nGET \"a b\"\nSET k \"\\x00\\xff\\n\\r\\t\\a\\b\\\\\\q\"\nGET k\nSET 'k' \"\"\nGET k\n  GET   k  \r\nGET 'k'x\nPING\n",
    "PING\nSET a \"b\nPING\n",
];

/// The same for what is not typed.
const RAW_SCRIPTS: &[&[u8]] = &[
    b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\n\x00\r\n\r\n",
    b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$0\r\n\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
    b"*0\r\n*-1\r\n*-5\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
    b"PING\r\n*x\r\nPING\r\n",
    b"*\r\n",
    b"*01\r\n",
    b"*2147483648\r\n",
    b"*1048577\r\n$4\r\nPING\r\n",
    b"*1\r\nPING\r\n",
    b"*2\r\n$4\r\nPING\r\n+a\r\n",
    b"*2\r\n$4\r\nPING\r\n\nab\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$4x\r\nPING\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$536870912\r\nPING",
    b"*2\r\n$3\r\nGET\r\n",
    b"*1\r\n$0\r\n\r\n",
    // As Redis's own suite for the protocol has them.
    b"\r\n*1\r\n$4\r\nPING\r\n",
    b"*-10\r\n*1\r\n$4\r\nPING\r\n",
    b"*3000000000\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n",
    b"*1\r\nfoo\r\n",
    b"*4\r\n$4\r\nPING\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n",
    b"SET \"\"\"a\"\"\" b\r\nPING\r\n",
    // White space of every kind, and what stands for a line end.
    b"\x0bECHO\x0ba\r\nECHO 'a'\x0c\r\n \t\x0b\r\nECHO a\rb\r\nECHO \"\\x4g\"\r\n",
    b"*1\rx$4\ryPINGzz*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n",
    b"*1\r\n\xe9\r\n",
];

/// How a client begins that has lost its place in the stream, and what it is told. The zeros end strings in C, which
/// has cost Redis its own place.
const OUT_OF_STEP: &[(&[u8], &str)] = &[
    (b"\0", "too big inline request"),
    (b"*\0", "too big mbulk count string"),
    (b"$\0", "too big inline request"),
];

/// Tests of Redis's own suite for the protocol that take commands which the example does not have. Those that take
/// DEBUG are known to the suite by a tag.
const TAKE_OTHER_COMMANDS: &[&str] = &[
    // SRANDMEMBER and SADD.
    "raw protocol response",
    "raw protocol response - deferred",
    "raw protocol response - multiline",
    // INCRBYFLOAT, MULTI and EXEC.
    "test argument rewriting - issue 9598",
    // BLPOP. It would pass, since it does not look at the answers to that.
    "Regression for a crash with blocking ops and pipelining",
];

/// How many tests of that suite are left then. It may get more.
const LEFT_OF_THE_SUITE: usize = 14;

#[test]
fn every_answer_is_that_of_redis() {
    let Some(redis) = Redis::start("resp-server") else {
        // Past the test harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(
            b"LEFT OUT: a comparison with Redis, because there is no redis-server here\n",
        );
        return;
    };
    let ours = Ours::start();
    for script in scripts() {
        let expected = exchange(redis.connect(), &script);
        let answer = exchange(ours.connect(), &script);
        let shown = script.get(..500).unwrap_or(&script).escape_ascii();
        assert_eq!(readable(&answer), readable(&expected), "to {shown}");
    }
}

#[test]
fn the_answers_are_the_same_a_byte_at_a_time() {
    let ours = Ours::start();
    for script in scripts() {
        let at_once = exchange(ours.connect(), &script);
        // What is sent behind the end would be answered by a reset.
        let ends_early = ["Protocol error", "QUIT"].iter().any(|word| {
            let parts = at_once
                .windows(word.len())
                .chain(script.windows(word.len()));
            parts.into_iter().any(|part| part == word.as_bytes())
        });
        if ends_early || script.len() > 1000 {
            continue;
        }
        let connection = ours.connect();
        connection.set_nodelay(true).unwrap();
        let dripped = exchange_by(connection, |connection| {
            script
                .iter()
                .try_for_each(|byte| connection.write_all(&[*byte]))
        });
        assert_eq!(
            readable(&dripped),
            readable(&at_once),
            "to {}",
            script.escape_ascii()
        );
    }
}

#[test]
fn redis_own_suite_for_the_protocol_passes() {
    let ours = Ours::start();
    let ran = redis_suite::run("unit/protocol", ours.port, TAKE_OTHER_COMMANDS);
    let Some(outcome) = ran else { return };
    assert!(outcome.success, "{}", outcome.said);
    // A harness that finds nothing to run is content as well.
    let passed = outcome.passed;
    assert!(passed >= LEFT_OF_THE_SUITE, "{passed}: {}", outcome.said);
}

#[test]
fn a_client_out_of_step_is_told_so_and_closed_however_long_it_goes_on() {
    let redis = Redis::start("resp-server-out-of-step");
    let ours = Ours::start();
    for (begin, reason) in OUT_OF_STEP {
        let expected = format!("-ERR Protocol error: {reason}\r\n").into_bytes();
        let shown = begin.escape_ascii();
        let answer = go_on_until_closed(ours.connect(), begin);
        assert_eq!(readable(&answer), readable(&expected), "to {shown}");
        if let Some(redis) = &redis {
            let answer = go_on_until_closed(redis.connect(), begin);
            assert_eq!(readable(&answer), readable(&expected), "Redis, to {shown}");
        }
    }
}

/// The same conversation with the same server in a simulated world.
#[cfg(feature = "sim")]
fn exchange_in_a_world(script: &[u8]) -> Vec<u8> {
    use soquete::{event, net};
    use std::cell::RefCell;
    use std::rc::Rc;

    let answer = Rc::new(RefCell::new(Vec::new()));
    // The timer of keys that expire is left over.
    let report = soquete::sim::World::seed(1).run(|| {
        let server = resp::server::create();
        server.listen(("127.0.0.1", 6379));
        let client = net::connect(("127.0.0.1", 6379));
        let got = Rc::clone(&answer);
        client.on(event::Data, move |chunk| {
            got.borrow_mut().extend_from_slice(chunk);
        });
        client.on(event::Close, move |_| {
            server.close();
        });
        client.end_with(script);
    });
    report.check();
    answer.take()
}

#[cfg(feature = "sim")]
#[test]
fn the_answers_are_the_same_in_a_simulated_world() {
    let ours = Ours::start();
    for script in scripts() {
        let real = exchange(ours.connect(), &script);
        let simulated = exchange_in_a_world(&script);
        let shown = script.get(..500).unwrap_or(&script).escape_ascii();
        assert_eq!(readable(&simulated), readable(&real), "to {shown}");
    }
}

#[test]
fn what_was_set_can_be_read_until_it_expires() {
    let ours = Ours::start();
    assert_eq!(
        exchange(ours.connect(), b"SET a 1\nINCR a\nLPUSH l x\nLPOP l 1\n"),
        b"+OK\r\n:2\r\n:1\r\n*1\r\n$1\r\nx\r\n"
    );
    let mut connection = ours.connect();
    connection.write_all(b"SET a 1 PX 20\n").unwrap();
    assert_eq!(answer(&mut connection, 5), b"+OK\r\n");
    let began = Instant::now();
    loop {
        connection.write_all(b"EXISTS a\n").unwrap();
        match &answer(&mut connection, 4)[..] {
            b":0\r\n" => break,
            _ => assert!(began.elapsed() < TOO_LONG, "it does not expire"),
        }
    }
    connection.write_all(b"DBSIZE\n").unwrap();
    assert_eq!(answer(&mut connection, 4), b":0\r\n");
}

#[test]
fn values_of_megabytes_come_back_whole_in_a_pipeline() {
    let ours = Ours::start();
    let value = vec![b'v'; 3_000_000];
    let mut script = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n", value.len()).into_bytes();
    script.extend_from_slice(&value);
    script.extend_from_slice(b"\r\nGET a\nGET a\n");
    let bulk = [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
    let expected = [b"+OK\r\n", &bulk[..], &bulk].concat();
    assert!(exchange(ours.connect(), &script) == expected);
}

/// A request of some hundred bytes does not make a reply of gigabytes.
#[test]
fn a_client_that_asks_for_too_much_at_once_is_cut_off() {
    let server = Ours::start();
    let mut connection = server.connect();
    let value = vec![b'v'; 1 << 20];
    let set = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", value.len());
    connection.write_all(set.as_bytes()).unwrap();
    connection.write_all(&value).unwrap();
    connection.write_all(b"\r\n").unwrap();
    let keys = 100;
    let request = format!("*{}\r\n$4\r\nMGET\r\n", keys + 1) + &"$1\r\nk\r\n".repeat(keys);
    connection.write_all(request.as_bytes()).unwrap();
    let mut answers = Vec::new();
    let _reset = connection.read_to_end(&mut answers);
    assert!(answers == b"+OK\r\n", "{} bytes", answers.len());
    let mut another = server.connect();
    another.write_all(b"PING\r\n").unwrap();
    assert_eq!(answer(&mut another, 7), b"+PONG\r\n");
}

fn scripts() -> Vec<Vec<u8>> {
    let typed = SCRIPTS.iter().map(|script| script.as_bytes().to_vec());
    let raw = RAW_SCRIPTS.iter().map(|script| script.to_vec());
    // One byte too long each, and the longest arguments that an error repeats.
    let heads = ["", "*", "*1\r\n$"];
    let long = heads.into_iter().map(|head| {
        let over = 64 * 1024 + usize::from(head.is_empty());
        [head.as_bytes(), &vec![b'1'; over]].concat()
    });
    let desynchronized = OUT_OF_STEP.iter().map(|(begin, _)| {
        let payload = [vec![b'A'; 1024], b"payload".to_vec()].concat();
        let mut script = [*begin, &payload.repeat(64)].concat();
        // What is sent behind the end would be answered by a reset.
        script.truncate(64 * 1024 + 1);
        script
    });
    // More arguments than any place for them begins with.
    let pairs = 10_000;
    let mut many = format!("*{}\r\n$4\r\nMSET\r\n", 1 + 2 * pairs);
    many += &"$1\r\nk\r\n$1\r\nv\r\n".repeat(pairs - 1);
    many += "$4\r\nlast\r\n$1\r\nx\r\nMGET k last\r\nDBSIZE\r\n";
    let word = "w".repeat(100);
    let unknown = format!("{word}{word} {word} {word} {word}\nCONFIG {word}{word}\n").into_bytes();
    typed
        .chain(raw)
        .chain(long)
        .chain(desynchronized)
        .chain([many.into_bytes(), unknown])
        .collect()
}

/// Sends `script` to an empty server, and reads until the connection ends.
fn exchange<C: Connection>(connection: C, script: &[u8]) -> Vec<u8> {
    exchange_by(connection, |connection| connection.write_all(script))
}

fn exchange_by<C: Connection>(
    mut connection: C,
    send: impl FnOnce(&mut C) -> io::Result<()>,
) -> Vec<u8> {
    flush_all(&mut connection);
    let mut reading = connection.clone_handle();
    let reader = thread::spawn(move || {
        let mut answer = Vec::new();
        reading.read_to_end(&mut answer).map(|_| answer)
    });
    send(&mut connection).unwrap();
    connection.shutdown_write().unwrap();
    reader.join().unwrap().unwrap()
}

/// Sends `begin` and no end of bytes behind it until the server takes no more. Returns what it has said by then.
fn go_on_until_closed<C: Connection>(mut connection: C, begin: &[u8]) -> Vec<u8> {
    connection.write_all(begin).unwrap();
    let began = Instant::now();
    while connection.write_all(&[b'A'; 1024]).is_ok() {
        assert!(began.elapsed() < TOO_LONG, "the server goes on as well");
    }
    // The last of what was sent is answered by a reset, which leaves what came before it.
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    answer
}

fn flush_all(connection: &mut impl Connection) {
    connection.write_all(b"FLUSHALL\n").unwrap();
    assert_eq!(answer(connection, 5), b"+OK\r\n");
}

fn answer(connection: &mut impl Read, length: usize) -> Vec<u8> {
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).unwrap();
    answer
}

/// Line by line, without the numbers that connections are given.
fn readable(answer: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = answer
        .split(|byte| *byte == b'\n')
        .map(|line| line.escape_ascii().to_string())
        .collect();
    for at in 1..lines.len() {
        if lines[at - 1] == "id\\r" {
            lines[at] = String::from(":…");
        }
    }
    lines
}

trait Connection: Read + Write + Send + Sized + 'static {
    fn clone_handle(&self) -> Self;
    fn shutdown_write(&self) -> io::Result<()>;
}

macro_rules! connection {
    ($($stream:ty)*) => {$(
        impl Connection for $stream {
            fn clone_handle(&self) -> Self {
                self.try_clone().unwrap()
            }

            fn shutdown_write(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    )*};
}

connection!(TcpStream UnixStream);

/// The example, on a thread and a loop of its own.
struct Ours {
    port: u16,
    remote: soquete::Remote,
    thread: Option<thread::JoinHandle<()>>,
}

impl Ours {
    fn start() -> Ours {
        let (sender, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let server = resp::server::create();
            let listening = soquete::net::ListenOptions::new(0).host("127.0.0.1");
            server.listen_then(listening, move |_| {
                let port = server.address().unwrap().port();
                sender.send((port, soquete::remote().unwrap())).unwrap();
            });
            soquete::run().unwrap();
        });
        let (port, remote) = started.recv_timeout(TOO_LONG).unwrap();
        Ours {
            port,
            remote,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(TOO_LONG)).unwrap();
        connection.set_write_timeout(Some(TOO_LONG)).unwrap();
        connection
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let stopped = self.remote.post(soquete::stop);
        if let (Ok(()), Some(thread)) = (stopped, self.thread.take()) {
            let ended = thread.join();
            assert!(
                ended.is_ok() || thread::panicking(),
                "the server's loop failed"
            );
        }
    }
}
