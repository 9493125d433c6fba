//! MQTT packets against npm's `mqtt-packet` and a real broker; and what such decoders have got wrong elsewhere.
//!
//! The comparisons need Node with `mqtt-packet`, and `mosquitto` (Debian: mosquitto); what is not there is left out,
//! which is said.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/flowing.rs"]
mod flowing;
#[path = "support/npm.rs"]
mod npm;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use soquete::framing::{Encode, Flow, Format, FrameError, FrameReader, FrameWriter, Item, Mqtt};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const TOO_LONG: Duration = Duration::from_secs(20);
const NAMES: [&str; 15] = [
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "pingreq",
    "pingresp",
    "disconnect",
    "auth",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn of_version(version: &str) -> Mqtt {
    match version {
        "4" => Mqtt::version_3_1_1(),
        _ => Mqtt::new(),
    }
}

/// The first byte and the payload of every packet, and what is wrong at last.
fn read(format: Mqtt, stream: &[u8], chunk: usize) -> Vec<Result<(u8, Vec<u8>), String>> {
    let mut reader = FrameReader::new(format, 1 << 28);
    let mut seen = Vec::new();
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push_with(chunk, |item, reading| {
            seen.push(Ok((reading.kind(), item.frame().unwrap().to_vec())));
            Flow::Continue
        });
        if let Err(error) = outcome {
            seen.push(Err(error.to_string()));
            return seen;
        }
    }
    let end = reader.finish(|_| Flow::Continue);
    seen.extend(end.err().map(|error| Err(error.to_string())));
    seen
}

/// What `mqtt-packet` reads, a line for each line.
fn parsed(lines: &[String]) -> Option<Vec<String>> {
    let mut child = npm::script("mqtt.js", "mqtt-packet")?
        .arg("parse")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all of its input before it answers.
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines.join("\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(str::to_owned).collect())
}

#[test]
fn packets_of_every_type_are_read_as_mqtt_packet_writes_them() {
    let Some(mut command) = npm::script("mqtt.js", "mqtt-packet") else {
        return;
    };
    let output = command.arg("generate").output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let lines = output.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(lines.len() > 60, "{}", lines.len());
    let expected = parsed(&lines).unwrap();
    let mut types = [0; 16];
    for (line, expected) in lines.iter().zip(&expected) {
        let (version, packet) = line.split_once(' ').unwrap();
        let packet = unhex(packet);
        let whole = read(of_version(version), &packet, packet.len());
        let [Ok((first, payload))] = &whole[..] else {
            panic!("{line:.80}: {expected}")
        };
        let seen = format!("{} {}", NAMES[usize::from(first >> 4) - 1], payload.len());
        assert_eq!(&seen, expected);
        types[usize::from(first >> 4)] += 1;
        assert_eq!(
            read(of_version(version), &packet, packet.len() / 3 + 1),
            whole
        );
        // It is written as it was read.
        let mut written = Vec::new();
        let format = of_version(version).writes(*first).unwrap();
        format.encode(payload, &mut written).unwrap();
        assert!(written == packet);
    }
    assert!(types[1..].iter().all(|count| *count > 0), "{types:?}");
}

/// Whatever head this crate takes for good, `mqtt-packet` does; where it takes more, it is named here.
#[test]
fn heads_are_refused_where_mqtt_packet_refuses_them() {
    let mut lines = Vec::new();
    for version in ["4", "5"] {
        for first in 0..=255u8 {
            for length in [&b"\x00"[..], b"\x02", b"\x80\x80\x80\x80\x01"] {
                let head = [&[first], length].concat();
                lines.push(format!("{version} {}", hex(&head)));
            }
        }
    }
    let Some(theirs) = parsed(&lines) else {
        return;
    };
    let mut count = 0;
    for (line, theirs) in lines.iter().zip(&theirs) {
        let (version, packet) = line.split_once(' ').unwrap();
        let packet = unhex(packet);
        let ours = of_version(version)
            .cut(soquete::framing::Window::new(&[], &packet))
            .err();
        let refused = theirs.contains("header flag")
            || theirs.contains("variable byte integer")
            || theirs.contains("QoS bits");
        assert!(!refused || ours.is_some(), "{line}: {theirs}");
        count += usize::from(refused);
    }
    assert!(count > 500, "{count} heads are refused by both");
}

/// A broker on a free port, in a process of its own.
struct Broker {
    process: Child,
    port: u16,
    config: std::path::PathBuf,
}

impl Broker {
    fn start() -> Option<Broker> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let name = format!("soquete-mosquitto-{}.conf", std::process::id());
        let config = std::env::temp_dir().join(name);
        std::fs::write(
            &config,
            format!("listener {port} 127.0.0.1\nallow_anonymous true\n"),
        )
        .unwrap();
        let mut command = ["mosquitto", "/usr/sbin/mosquitto"]
            .into_iter()
            .filter_map(|program| {
                Command::new(program)
                    .arg("-c")
                    .arg(&config)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .ok()
            });
        let Some(process) = command.next() else {
            let _ = std::fs::remove_file(&config);
            let line = "LEFT OUT: mosquitto is not there (Debian: mosquitto)\n";
            let _ = std::io::stderr().write_all(line.as_bytes());
            return None;
        };
        Some(Broker {
            process,
            port,
            config,
        })
    }

    fn connect(&self) -> Client {
        let began = Instant::now();
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(began.elapsed() < TOO_LONG, "{error}"),
            }
            std::thread::yield_now();
        };
        stream.set_read_timeout(Some(TOO_LONG)).unwrap();
        Client {
            stream,
            reader: FrameReader::new(Mqtt::new(), 1 << 20),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}

struct Client {
    stream: TcpStream,
    reader: FrameReader<Mqtt>,
}

impl Client {
    fn send(&mut self, first: u8, payload: &[u8]) {
        let format = Mqtt::new().writes(first).unwrap();
        let mut packet = Vec::new();
        FrameWriter::new(format, payload.len())
            .unwrap()
            .encode(payload, &mut packet)
            .unwrap();
        self.stream.write_all(&packet).unwrap();
    }

    /// The next packet.
    fn next(&mut self) -> (u8, Vec<u8>) {
        let mut chunk = vec![];
        loop {
            let mut packet = None;
            let read = self.reader.push_with(&chunk, |item, reading| {
                packet = item.frame().map(|frame| (reading.kind(), frame.to_vec()));
                Flow::Stop
            });
            read.unwrap();
            if let Some(packet) = packet {
                return packet;
            }
            chunk.resize(1000, 0);
            let len = self.stream.read(&mut chunk).unwrap();
            assert!(len > 0, "the broker has hung up");
            chunk.truncate(len);
        }
    }
}

#[test]
fn a_broker_is_spoken_to_in_both_versions() {
    let Some(broker) = Broker::start() else {
        return;
    };
    for version in [4, 5] {
        let five = version == 5;
        let none: &[u8] = if five { b"\0" } else { b"" };
        let mut client = broker.connect();
        client.send(
            0x10,
            &[
                &b"\x00\x04MQTT"[..],
                &[version],
                b"\x02\x00\x3c",
                none,
                b"\x00\x01c",
            ]
            .concat(),
        );
        let (first, connack) = client.next();
        assert_eq!((first >> 4, connack[1]), (Mqtt::CONNACK, 0));
        client.send(0x82, &[&b"\x00\x01"[..], none, b"\x00\x03a/#\x01"].concat());
        let (first, suback) = client.next();
        assert_eq!((first >> 4, suback.last()), (Mqtt::SUBACK, Some(&1)));
        client.send(0xc0, b"");
        assert_eq!(client.next(), (Mqtt::PINGRESP << 4, vec![]));
        for length in [0, 100, 200, 20_000, 200_000] {
            let body = vec![b'm'; length];
            client.send(0x32, &[&b"\x00\x03a/b\x00\x07"[..], none, &body].concat());
            let (mut acknowledged, mut message) = (false, None);
            while !acknowledged || message.is_none() {
                let (first, packet) = client.next();
                match first >> 4 {
                    Mqtt::PUBACK => acknowledged = packet[..2] == [0, 7],
                    Mqtt::PUBLISH => message = Some((first, packet)),
                    other => panic!("a packet of type {other}"),
                }
            }
            let (first, packet) = message.unwrap();
            assert_eq!((first >> 1 & 3, &packet[..5]), (1, &b"\x00\x03a/b"[..]));
            client.send(0x40, &packet[5..7]);
            let body_at = 7 + none.len();
            assert!(
                packet[body_at..] == body,
                "{length} bytes in version {version}"
            );
        }
        client.send(0xe0, b"");
    }
}

// What others have got wrong.

/// A decoder that stopped at the fourth byte of the length whatever it was took the fifth for payload.
#[test]
fn a_fifth_byte_of_length_is_refused_when_the_fourth_has_come() {
    let mut reader = FrameReader::new(Mqtt::new(), 1 << 28);
    assert_eq!(
        reader.push(b"\x30\xff\xff\xff", |_| Flow::Continue),
        Ok(Flow::Continue)
    );
    let error = reader.push(b"\xff", |_| Flow::Continue).unwrap_err();
    assert_eq!(
        error.to_string(),
        "MQTT length of more than four bytes (2.1.4) at offset 4"
    );
}

/// Two spellings of one length are two opinions for whoever looks at the bytes on the way.
#[test]
fn a_length_is_as_short_as_it_can_be() {
    let seen = read(Mqtt::new(), b"\xc0\x00\x30\x82\x80\x00", 6);
    assert_eq!(
        seen[1],
        Err("MQTT length longer than necessary (1.5.5-1) at offset 5".to_owned())
    );
}

/// Brokers have ended at a message of quality 3, and at requests with the wrong flags.
#[test]
fn flags_are_checked_before_the_rest_has_come() {
    for (first, what) in [
        (0x36, "MQTT message of quality 3 (3.3.1-4)"),
        (
            0x38,
            "MQTT message of quality 0 for the second time (3.3.1-2)",
        ),
        (
            0x80,
            "MQTT packet with flags that its type does not have (2.1.3)",
        ),
        (
            0x63,
            "MQTT packet with flags that its type does not have (2.1.3)",
        ),
        (0x0f, "MQTT packet of a reserved type (2.1.2)"),
    ] {
        let seen = read(Mqtt::new(), &[first], 1);
        assert_eq!(seen, [Err(format!("{what} at offset 0"))]);
    }
}

/// A message without room for its number was read from what followed it.
#[test]
fn a_packet_has_room_for_what_its_type_has_in_any_case() {
    let seen = read(Mqtt::new(), b"\x32\x03\x00\x01a\xc0\x00", 9);
    assert_eq!(
        seen,
        [Err(
            "MQTT packet of a length that its type does not have at offset 1".to_owned()
        )]
    );
}

#[test]
fn a_promise_of_256_mib_takes_no_memory_and_a_limit_refuses_it() {
    let mut reader = FrameReader::new(Mqtt::new(), usize::MAX);
    reader
        .push(b"\x30\xff\xff\xff\x7fabc", |_| Flow::Continue)
        .unwrap();
    assert!(reader.capacity() <= 80, "{}", reader.capacity());
    let mut reader = FrameReader::new(Mqtt::new(), 1000);
    let (at, limit, declared) = (0, 1000, Some((1 << 28) - 1));
    let read = reader.push(b"\x30\xff\xff\xff\x7f", |_| Flow::Continue);
    assert_eq!(
        read,
        Err(FrameError::TooLong {
            at,
            limit,
            declared
        })
    );
}

#[test]
fn a_long_message_comes_in_pieces_with_its_head_first() {
    let mut reader = FrameReader::new(Mqtt::new(), 1 << 20).stream_above(10);
    let packet = [&b"\x30\xe8\x07"[..], &[7; 1000], b"\xc0\x00"].concat();
    let (mut heads, mut bytes, mut frames) = (vec![], 0, 0);
    for chunk in packet.chunks(64) {
        let read = reader.push_with(chunk, |item, reading| {
            heads.extend_from_slice(reading.head());
            match item {
                Item::Piece { bytes: piece, .. } => bytes += piece.len(),
                _ => frames += 1,
            }
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
    }
    assert_eq!(
        (&heads[..], bytes, frames),
        (&b"\x30\xe8\x07\xc0\x00"[..], 1000, 1)
    );
    assert!(reader.capacity() <= 128);
}

#[test]
fn packets_allocate_nothing_once_they_flow() {
    let packets = b"\x32\x08\x00\x03a/b\x00\x07!\xc0\x00".repeat(200);
    let reader = FrameReader::new(Mqtt::new(), 1000);
    flowing::without_allocating(reader, &packets, 400);
}
