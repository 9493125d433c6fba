//! What concerns one connection: its version of the protocol, its database, its end.

use super::super::integer;
use super::super::reply::Version;
use super::super::store::DATABASES;
use super::{Call, Outcome, Refusal, quote, wrong_arity};

/// Clients look at it to know what they may ask for.
pub const REDIS_VERSION: &str = "7.0.15";

/// `PING [message]`
pub fn ping(call: &mut Call) -> Outcome {
    match call.arguments.len() {
        1 => call.replies.status("PONG"),
        2 => call.replies.bulk(call.arguments.at(1)),
        _ => return Err(wrong_arity("ping")),
    }
    Ok(())
}

/// `ECHO message`
pub fn echo(call: &mut Call) -> Outcome {
    call.replies.bulk(call.arguments.at(1));
    Ok(())
}

/// `SELECT index`
pub fn select(call: &mut Call) -> Outcome {
    let index = usize::try_from(call.integer(1)?).ok();
    let index = index.filter(|index| *index < DATABASES);
    call.client.database = index.ok_or(Refusal::Fixed("ERR DB index is out of range"))?;
    call.replies.ok();
    Ok(())
}

/// `QUIT`
pub fn quit(call: &mut Call) -> Outcome {
    call.client.leaving = true;
    call.replies.ok();
    Ok(())
}

/// `HELLO [version [AUTH user password] [SETNAME name]]`
pub fn hello(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let mut version = None;
    if arguments.len() > 1 {
        version = Some(match integer::parse(arguments.at(1)) {
            Some(2) => Version::V2,
            Some(3) => Version::V3,
            Some(_) => return Err(Refusal::Fixed("NOPROTO unsupported protocol version")),
            None => {
                return Err(Refusal::Fixed(
                    "ERR Protocol version is not an integer or out of range",
                ));
            }
        });
    }
    let mut at = 2;
    while at < arguments.len() {
        let behind = arguments.len() - at - 1;
        if call.is(at, "AUTH") && behind >= 2 {
            // There is one user, who needs no password.
            if arguments.at(at + 1) != b"default" {
                return Err(Refusal::Fixed(
                    "WRONGPASS invalid username-password pair or user is disabled.",
                ));
            }
            at += 3;
        } else if call.is(at, "SETNAME") && behind >= 1 {
            set_name(call, at + 1)?;
            at += 2;
        } else {
            let option = quote(arguments.at(at), usize::MAX);
            return Err(Refusal::Detailed(format!(
                "ERR Syntax error in HELLO option '{option}'"
            )));
        }
    }
    if let Some(version) = version {
        call.client.version = version;
        call.replies.set_version(version);
    }
    greet(call);
    Ok(())
}

/// Names the connection as the argument at `index` says.
pub fn set_name(call: &mut Call, index: usize) -> Outcome {
    let name = call.arguments.at(index);
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(Refusal::Fixed(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ));
    }
    call.client.name = String::from_utf8_lossy(name).into_owned();
    Ok(())
}

fn greet(call: &mut Call) {
    let id = i64::try_from(call.client.id).unwrap_or(i64::MAX);
    let protocol = match call.client.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    let replies = &mut *call.replies;
    replies.map(7);
    for (key, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        replies.bulk(key.as_bytes());
        replies.bulk(value.as_bytes());
    }
    for (key, value) in [("proto", protocol), ("id", id)] {
        replies.bulk(key.as_bytes());
        replies.integer(value);
    }
    for (key, value) in [("mode", "standalone"), ("role", "master")] {
        replies.bulk(key.as_bytes());
        replies.bulk(value.as_bytes());
    }
    replies.bulk(b"modules");
    replies.array(0);
}
