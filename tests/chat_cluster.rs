//! The chat beyond one machine: instances that share a room by Redis, behind HAProxy.

#![cfg(target_os = "linux")]

#[path = "support/programs.rs"]
mod programs;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use programs::{Running, example, free_port};

const PATIENCE: Duration = Duration::from_secs(30);

/// Past the test harness, which would keep it to itself.
fn left_out(what: &str) {
    let _unheard = writeln!(std::io::stderr(), "LEFT OUT: {what}");
}

/// Two instances, a broker, a balancer, and a hundred clients on addresses of their own. One instance is drained
/// half-way, newcomers go to the other, and each client counts what it is told.
#[test]
fn a_crowd_is_told_everything_once_while_an_instance_is_drained() {
    let (chat, _) = (example("chat"), example("chat_crowd"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/chat/cluster");
    let mut run = Command::new(script);
    run.env("CHAT_PROGRAMS", chat.parent().unwrap())
        .args(["--every", "300"]);
    let run = run.output().expect("there is bash");
    let (said, complained) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    if run.status.code() == Some(77) {
        return left_out(complained.trim_start_matches("LEFT OUT: ").trim_end());
    }
    assert!(run.status.success(), "{said}{complained}");
    assert!(
        said.contains("100 clients were told of 2000 messages each"),
        "{said}"
    );
    assert!(said.contains("\n0 wrong\n"), "{said}");
}

fn redis(port: u16) -> Option<Running> {
    let mut redis = Command::new("redis-server");
    redis.args([
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--port",
    ]);
    let started = redis.arg(port.to_string()).stdout(Stdio::null()).spawn();
    let Ok(redis) = started else {
        left_out(
            "a broker that dies, because there is no redis-server here (apt install redis-server)",
        );
        return None;
    };
    let mut redis = Running(redis);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            redis.0.try_wait().unwrap().is_none(),
            "redis-server has ended"
        );
        thread::yield_now();
    }
    Some(redis)
}

struct Instance {
    _program: Running,
    port: u16,
}

impl Instance {
    fn start(broker: u16) -> Instance {
        let mut command = Command::new(example("chat"));
        command.args(["0", "--join", &format!("redis://127.0.0.1:{broker}")]);
        let mut program = Running(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let mut said = String::new();
        BufReader::new(program.0.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let port = said.trim().strip_prefix("listening on port ").expect(&said);
        Instance {
            port: port.parse().unwrap(),
            _program: program,
        }
    }
}

struct Member {
    reader: BufReader<TcpStream>,
}

impl Member {
    fn connect(instance: &Instance) -> Member {
        let stream = TcpStream::connect(("127.0.0.1", instance.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Member {
            reader: BufReader::new(stream),
        }
    }

    fn of(instance: &Instance, name: &str) -> Member {
        let mut member = Member::connect(instance);
        member.say(name);
        member.until(&format!("* {name} is here"));
        member
    }

    fn say(&mut self, line: &str) {
        self.reader
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    /// All lines up to one that has this in it.
    fn until(&mut self, part: &str) -> Vec<String> {
        let mut lines = vec![];
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            assert_ne!(line, "", "the end, and no {part}");
            lines.push(line.trim_end().to_owned());
            if line.contains(part) {
                return lines;
            }
        }
    }
}

fn signal(name: &str, program: &Running) {
    let pid = program.0.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_broker_that_dies_and_comes_back_loses_nothing_and_what_was_on_its_way_is_said() {
    let port = free_port();
    let Some(broker) = redis(port) else { return };
    let (one, two) = (Instance::start(port), Instance::start(port));
    let mut ana = Member::of(&one, "ana");
    let mut bia = Member::of(&two, "bia");
    ana.until("bia is here");
    ana.say("one room");
    assert_eq!(bia.until("ana: ").last().unwrap(), "ana: one room");
    bia.say("indeed");
    ana.until("bia: indeed");
    bia.until("bia: indeed");

    // It takes a message, and dies before it says so.
    signal("-STOP", &broker);
    ana.say("to be or not to be");
    thread::sleep(Duration::from_millis(200));
    drop(broker);
    assert_eq!(
        ana.until("out of reach").last().unwrap(),
        "* the other rooms are out of reach: 1 on their way are sent again, what is said now waits"
    );
    bia.until("out of reach");
    ana.say("is anybody there?");
    bia.say("hello?");
    bia.say("hello??");
    thread::sleep(Duration::from_millis(200));

    let Some(_broker) = redis(port) else { return };
    let start = Instant::now();
    let waited = [
        "ana: to be or not to be",
        "ana: is anybody there?",
        "bia: hello?",
        "bia: hello??",
    ];
    let mut told = [vec![], vec![]];
    for (member, told) in [&mut ana, &mut bia].into_iter().zip(&mut told) {
        while !waited
            .iter()
            .all(|line| told.iter().any(|said| said == line))
        {
            assert!(start.elapsed() < PATIENCE, "{told:?}");
            told.extend(member.until(": "));
        }
    }
    // Whatever was to come twice has come when this has.
    ana.say("all there");
    bia.say("all here");
    for (member, mut told) in [&mut ana, &mut bia].into_iter().zip(told) {
        while !["ana: all there", "bia: all here"]
            .iter()
            .all(|line| told.iter().any(|said| said == line))
        {
            told.extend(member.until(": "));
        }
        told.sort();
        let mut expected = [&waited[..], &["ana: all there", "bia: all here"]].concat();
        expected.sort();
        assert_eq!(told, expected, "each once");
    }

    // Who joins later is told what was said before, on any instance.
    let three = Instance::start(port);
    let mut mia = Member::connect(&three);
    mia.say("mia");
    let mut told: Vec<String> = vec![];
    while !waited
        .iter()
        .all(|line| told.iter().any(|said| said == line))
    {
        assert!(start.elapsed() < PATIENCE, "{told:?}");
        told.extend(mia.until(": "));
    }
}
