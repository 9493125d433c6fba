//! The example `workers`: clients of all loops hear each other, whichever way they came, and each connection is
//! handed to the loop that has the fewest.

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod programs;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use programs::{Running, examples};

const WAYS: [&[&str]; 2] = [&[], &["--hand-over"]];

struct Program {
    port: u16,
    said: BufReader<ChildStdout>,
    running: Running,
}

impl Program {
    fn start(workers: usize, flags: &[&str]) -> Program {
        let mut child = Command::new(examples().join("workers"))
            .args(["0", "--workers", &workers.to_string()])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let mut program = Program {
            port: 0,
            said: BufReader::new(child.stdout.take().expect("it is piped")),
            running: Running(child),
        };
        let line = program.line();
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[..2], [&workers.to_string()[..], "workers"]);
        program.port = words[words.len() - 1].parse().expect("a port");
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("text");
        line.trim_end().to_owned()
    }

    /// A client, and the worker that serves it.
    fn client(&mut self) -> (TcpStream, usize) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        let line = self.line();
        let own = stream.local_addr().unwrap().port();
        assert!(line.contains(&own.to_string()), "{line} is not of {own}");
        let worker = line.split(' ').nth(1).map(str::parse);
        let worker = worker.and_then(Result::ok).expect("a worker's number");
        (stream, worker)
    }

    fn stopped_by(mut self, signal: &str) {
        let pid = self.running.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill(1) is there").success());
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("stopping"), "{rest}");
        assert!(self.running.0.wait().unwrap().success());
    }
}

fn hears(mut client: &TcpStream, words: &[u8]) {
    let mut heard = vec![0; words.len()];
    client.read_exact(&mut heard).expect("somebody has spoken");
    assert!(heard == words, "{:?}", String::from_utf8_lossy(&heard));
}

#[test]
fn the_clients_of_all_loops_hear_each_other() {
    for way in WAYS {
        let mut program = Program::start(3, way);
        let clients: Vec<_> = (0..12).map(|_| program.client()).collect();
        let mut workers: Vec<usize> = clients.iter().map(|(_, worker)| *worker).collect();
        workers.sort_unstable();
        workers.dedup();
        // The kernel may leave one out, and has not been seen to leave out two.
        assert!(workers.len() > 1, "{workers:?}");
        for (mut speaker, worker) in clients.iter().map(|(client, worker)| (client, worker)) {
            let words = format!("hello from {worker}");
            speaker.write_all(words.as_bytes()).unwrap();
            for (client, _) in &clients {
                hears(client, words.as_bytes());
            }
        }
    }
}

#[test]
fn what_one_says_is_heard_in_its_order_and_in_full() {
    const LINES: usize = 20_000;
    for way in WAYS {
        let mut program = Program::start(2, way);
        let (mut speaker, _) = program.client();
        let listeners: Vec<_> = (0..4).map(|_| program.client().0).collect();
        let all: String = (0..LINES).map(|line| format!("line {line}\n")).collect();
        let listeners: Vec<_> = listeners
            .into_iter()
            .map(|listener| {
                let all = all.clone();
                thread::spawn(move || hears(&listener, all.as_bytes()))
            })
            .collect();
        let mut own = speaker.try_clone().unwrap();
        let echo = thread::spawn(move || std::io::copy(&mut own, &mut std::io::sink()));
        for lines in all.as_bytes().chunks(1000) {
            speaker.write_all(lines).unwrap();
        }
        for listener in listeners {
            listener.join().unwrap();
        }
        speaker.shutdown(Shutdown::Write).unwrap();
        assert_eq!(echo.join().unwrap().unwrap(), all.len() as u64);
    }
}

#[test]
fn a_connection_is_handed_to_the_loop_with_the_fewest() {
    let mut program = Program::start(4, &["--hand-over"]);
    let mut clients: Vec<_> = (0..12).map(|_| program.client()).collect();
    let count = |clients: &[(TcpStream, usize)], worker| {
        clients.iter().filter(|(_, of)| *of == worker).count()
    };
    assert!((0..4).all(|worker| count(&clients, worker) == 3));
    // All of worker 2 go. It is told of by messages, so it takes a moment.
    let (gone, left) = clients.into_iter().partition(|(_, worker)| *worker == 2);
    clients = left;
    let gone: Vec<(TcpStream, usize)> = gone;
    for (mut client, _) in gone {
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    }
    let begin = Instant::now();
    while count(&clients, 2) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(10));
        let (client, worker) = program.client();
        if worker == 2 {
            clients.push((client, worker));
        }
    }
    clients.extend((0..2).map(|_| program.client()));
    assert_eq!(count(&clients, 2), 3, "the others have three or more");
}

#[test]
fn a_client_that_does_not_read_is_cut_and_the_others_go_on() {
    for way in WAYS {
        let mut program = Program::start(2, way);
        let (deaf, _) = program.client();
        let ((mut speaker, _), (listener, _)) = (program.client(), program.client());
        let mut own = speaker.try_clone().unwrap();
        thread::spawn(move || std::io::copy(&mut own, &mut std::io::sink()));
        let words = vec![b'x'; 100_000];
        for _ in 0..300 {
            speaker.write_all(&words).unwrap();
            hears(&listener, &words);
        }
        // What it had been sent by then is less than all.
        let mut heard = 0;
        let mut buffer = vec![0; 1 << 20];
        while let Ok(count @ 1..) = (&deaf).read(&mut buffer) {
            heard += count;
        }
        assert!(heard < 300 * words.len(), "{heard}");
    }
}

#[test]
fn a_signal_ends_the_connections_and_then_the_program() {
    for (way, signal) in WAYS.into_iter().zip(["-TERM", "-INT"]) {
        let mut program = Program::start(3, way);
        let clients: Vec<_> = (0..6).map(|_| program.client().0).collect();
        let begin = Instant::now();
        let ends = thread::spawn(move || {
            for mut client in clients {
                // It is this end that says goodbye last.
                assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
            }
        });
        program.stopped_by(signal);
        ends.join().unwrap();
        assert!(
            begin.elapsed() < Duration::from_secs(4),
            "it waits for nobody"
        );
    }
}

#[test]
fn a_port_that_is_taken_and_arguments_that_mean_nothing_are_told() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(examples().join("workers"));
        let output = command.args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), errors)
    };
    for way in WAYS {
        let (code, errors) = run(&[&[&*port], way].concat());
        assert_eq!(code, Some(1));
        assert!(errors.contains("EADDRINUSE"), "{errors}");
    }
    for arguments in [&["http"][..], &["--workers"], &["--workers", "0"]] {
        let (code, errors) = run(arguments);
        assert_eq!(code, Some(2));
        assert!(errors.starts_with("usage"), "{errors}");
    }
}
