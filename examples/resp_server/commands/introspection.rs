//! What the server tells of itself, and of the connection.

use std::fmt::Write;

use super::connection::{REDIS_VERSION, set_name};
use super::{COMMANDS, Call, Command, Outcome, find, unknown_subcommand, wrong_arity};

/// What can be asked for by `CONFIG GET`. Nothing is saved.
const SETTINGS: [(&str, &str); 3] = [("appendonly", "no"), ("databases", "16"), ("save", "")];

/// `COMMAND [COUNT | LIST | DOCS [name …] | INFO [name …]]`
pub fn command(call: &mut Call) -> Outcome {
    if call.arguments.len() == 1 {
        describe_all(call);
    } else if call.is(1, "COUNT") {
        exactly(call, 2, "command|count")?;
        call.replies.count(COMMANDS.len());
    } else if call.is(1, "LIST") {
        exactly(call, 2, "command|list")?;
        call.replies.array(COMMANDS.len());
        for command in COMMANDS {
            call.replies.bulk(command.name.as_bytes());
        }
    } else if call.is(1, "DOCS") {
        // Clients make do without.
        call.replies.map(0);
    } else if call.is(1, "INFO") && call.arguments.len() == 2 {
        describe_all(call);
    } else if call.is(1, "INFO") {
        let names = call.arguments.from(2);
        call.replies.array(names.len());
        for name in names {
            match find(name) {
                Some(command) => describe(call, command),
                None => call.replies.null_array(),
            }
        }
    } else {
        return Err(unknown_subcommand(call.arguments.at(1), "COMMAND"));
    }
    Ok(())
}

/// `CONFIG GET pattern …`; the patterns are names, or `*`.
pub fn config(call: &mut Call) -> Outcome {
    if !call.is(1, "GET") {
        return Err(unknown_subcommand(call.arguments.at(1), "CONFIG"));
    }
    if call.arguments.len() < 3 {
        return Err(wrong_arity("config|get"));
    }
    let asked =
        |name: &str| (2..call.arguments.len()).any(|at| call.is(at, name) || call.is(at, "*"));
    let answer: Vec<_> = SETTINGS
        .into_iter()
        .filter(|(name, _)| asked(name))
        .collect();
    call.replies.map(answer.len());
    for (name, value) in answer {
        call.replies.bulk(name.as_bytes());
        call.replies.bulk(value.as_bytes());
    }
    Ok(())
}

/// `CLIENT ID | GETNAME | SETNAME name | INFO`
pub fn client(call: &mut Call) -> Outcome {
    if call.is(1, "ID") {
        exactly(call, 2, "client|id")?;
        call.replies
            .integer(i64::try_from(call.client.id).unwrap_or(i64::MAX));
    } else if call.is(1, "GETNAME") {
        exactly(call, 2, "client|getname")?;
        let name = Some(call.client.name.as_bytes()).filter(|name| !name.is_empty());
        call.replies.optional(name);
    } else if call.is(1, "SETNAME") {
        exactly(call, 3, "client|setname")?;
        set_name(call, 2)?;
        call.replies.ok();
    } else if call.is(1, "INFO") {
        exactly(call, 2, "client|info")?;
        let (id, name, database) = (call.client.id, &call.client.name, call.client.database);
        call.replies
            .text(&format!("id={id} name={name} db={database}\n"));
    } else {
        return Err(unknown_subcommand(call.arguments.at(1), "CLIENT"));
    }
    Ok(())
}

/// `INFO [section …]`; there is too little to tell to leave any of it out.
pub fn info(call: &mut Call) -> Outcome {
    let mut text = format!(
        "# Server\r\nredis_version:{REDIS_VERSION}\r\nredis_mode:standalone\r\nprocess_id:{}\r\n\r\n\
         # Keyspace\r\n",
        std::process::id(),
    );
    for (index, keys, expires) in call.store.in_use() {
        // Writing to a string cannot fail.
        let _ = write!(text, "db{index}:keys={keys},expires={expires}\r\n");
    }
    call.replies.text(&text);
    Ok(())
}

fn exactly(call: &Call, arguments: usize, name: &str) -> Outcome {
    if call.arguments.len() == arguments {
        Ok(())
    } else {
        Err(wrong_arity(name))
    }
}

fn describe_all(call: &mut Call) {
    call.replies.array(COMMANDS.len());
    for command in COMMANDS {
        describe(call, command);
    }
}

fn describe(call: &mut Call, command: &Command) {
    let replies = &mut *call.replies;
    let (first, last, step) = command.keys;
    replies.array(6);
    replies.bulk(command.name.as_bytes());
    replies.integer(command.arity);
    replies.array(command.flags.len());
    for flag in command.flags {
        replies.status(flag);
    }
    for number in [first, last, step] {
        replies.integer(number);
    }
}
