//! The commands: which there are, and how a request is brought to one.

mod connection;
mod introspection;
mod keys;
mod lists;
mod strings;

use super::integer;
use super::protocol::Arguments;
use super::reply::Replies;
use super::server::Client;
use super::store::{Database, Store};

/// A request, and what it works on.
pub struct Call<'a> {
    /// The command's name is the first.
    pub arguments: Arguments<'a>,
    pub client: &'a mut Client,
    pub store: &'a mut Store,
    pub replies: &'a mut Replies,
    /// Milliseconds since 1970.
    pub now: i64,
}

/// Why a command was not carried out. The text begins with a code in capitals.
#[derive(Debug)]
pub enum Refusal {
    Fixed(&'static str),
    Detailed(String),
}

/// What a command does. It has either replied or changed nothing.
type Outcome = Result<(), Refusal>;

struct Command {
    /// In lower case.
    name: &'static str,
    /// The name as a number, which compares in one go.
    key: u128,
    /// How many arguments, with the name; that many or more if it is negative.
    arity: i64,
    flags: &'static [&'static str],
    /// Which arguments are keys: the first, the last (from the end, if negative), and every how many.
    keys: (i64, i64, i64),
    run: fn(&mut Call) -> Outcome,
}

const NOT_AN_INTEGER: Refusal = Refusal::Fixed("ERR value is not an integer or out of range");
const SYNTAX_ERROR: Refusal = Refusal::Fixed("ERR syntax error");
const WRONG_TYPE: Refusal =
    Refusal::Fixed("WRONGTYPE Operation against a key holding the wrong kind of value");

/// No command's name is longer: as many bytes as [`Command::key`] has.
const LONGEST_NAME: usize = 16;

/// The most of an unknown command's name, and of its arguments, that is repeated.
const MOST_QUOTED: usize = 128;

const fn command(
    name: &'static str,
    arity: i64,
    flags: &'static [&'static str],
    keys: (i64, i64, i64),
    run: fn(&mut Call) -> Outcome,
) -> Command {
    let mut key = [0; LONGEST_NAME];
    let mut at = 0;
    while at < name.len() {
        key[at] = name.as_bytes()[at];
        at += 1;
    }
    Command {
        name,
        key: u128::from_be_bytes(key),
        arity,
        flags,
        keys,
        run,
    }
}

const READ: &[&str] = &["readonly", "fast"];
const WRITE: &[&str] = &["write", "denyoom"];
const SHRINK: &[&str] = &["write", "fast"];
const ASIDE: &[&str] = &["loading", "stale", "fast"];
const NO_KEYS: (i64, i64, i64) = (0, 0, 0);
const ONE_KEY: (i64, i64, i64) = (1, 1, 1);
const ALL_KEYS: (i64, i64, i64) = (1, -1, 1);

/// In the order of their names.
static COMMANDS: &[Command] = &[
    command("client", -2, ASIDE, NO_KEYS, introspection::client),
    command("command", -1, ASIDE, NO_KEYS, introspection::command),
    command("config", -2, ASIDE, NO_KEYS, introspection::config),
    command("dbsize", 1, READ, NO_KEYS, keys::dbsize),
    command("decr", 2, WRITE, ONE_KEY, strings::decr),
    command("decrby", 3, WRITE, ONE_KEY, strings::decrby),
    command("del", -2, SHRINK, ALL_KEYS, keys::del),
    command("echo", 2, ASIDE, NO_KEYS, connection::echo),
    command("exists", -2, READ, ALL_KEYS, keys::exists),
    command("expire", -3, SHRINK, ONE_KEY, keys::expire),
    command("flushall", -1, SHRINK, NO_KEYS, keys::flushall),
    command("flushdb", -1, SHRINK, NO_KEYS, keys::flushdb),
    command("get", 2, READ, ONE_KEY, strings::get),
    command("hello", -1, ASIDE, NO_KEYS, connection::hello),
    command("incr", 2, WRITE, ONE_KEY, strings::incr),
    command("incrby", 3, WRITE, ONE_KEY, strings::incrby),
    command("info", -1, ASIDE, NO_KEYS, introspection::info),
    command("llen", 2, READ, ONE_KEY, lists::llen),
    command("lpop", -2, SHRINK, ONE_KEY, lists::lpop),
    command("lpush", -3, WRITE, ONE_KEY, lists::lpush),
    command("lrange", 4, READ, ONE_KEY, lists::lrange),
    command("mget", -2, READ, ALL_KEYS, strings::mget),
    command("mset", -3, WRITE, (1, -1, 2), strings::mset),
    command("persist", 2, SHRINK, ONE_KEY, keys::persist),
    command("pexpire", -3, SHRINK, ONE_KEY, keys::pexpire),
    command("ping", -1, ASIDE, NO_KEYS, connection::ping),
    command("pttl", 2, READ, ONE_KEY, keys::pttl),
    command("quit", -1, ASIDE, NO_KEYS, connection::quit),
    command("rpop", -2, SHRINK, ONE_KEY, lists::rpop),
    command("rpush", -3, WRITE, ONE_KEY, lists::rpush),
    command("select", 2, ASIDE, NO_KEYS, connection::select),
    command("set", -3, WRITE, ONE_KEY, strings::set),
    command("ttl", 2, READ, ONE_KEY, keys::ttl),
    command("type", 2, READ, ONE_KEY, keys::kind),
];

/// Answers a request. An empty one has no answer.
pub fn run(mut call: Call) {
    if call.arguments.len() == 0 {
        return;
    }
    let outcome = match find(call.name()) {
        Some(command) if fits(command.arity, call.arguments.len()) => (command.run)(&mut call),
        Some(command) => Err(wrong_arity(command.name)),
        None => Err(unknown(call.arguments)),
    };
    match outcome {
        Ok(()) => {}
        Err(Refusal::Fixed(text)) => call.replies.error(text),
        Err(Refusal::Detailed(text)) => call.replies.error(&text),
    }
}

impl<'a> Call<'a> {
    fn name(&self) -> &'a [u8] {
        self.arguments.at(0)
    }

    fn database(&mut self) -> &mut Database {
        self.store.database(self.client.database, self.now)
    }

    /// The argument at `index`, in whatever case.
    fn is(&self, index: usize, word: &str) -> bool {
        self.arguments
            .at(index)
            .eq_ignore_ascii_case(word.as_bytes())
    }

    fn integer(&self, index: usize) -> Result<i64, Refusal> {
        integer::parse(self.arguments.at(index)).ok_or(NOT_AN_INTEGER)
    }
}

fn find(name: &[u8]) -> Option<&'static Command> {
    let mut key = [0; LONGEST_NAME];
    key.get_mut(..name.len())?.copy_from_slice(name);
    key.make_ascii_lowercase();
    let key = u128::from_be_bytes(key);
    let found = COMMANDS.binary_search_by_key(&key, |command| command.key);
    found.ok().map(|at| &COMMANDS[at])
}

fn fits(arity: i64, arguments: usize) -> bool {
    let wanted = arity.unsigned_abs() as usize;
    if arity < 0 {
        arguments >= wanted
    } else {
        arguments == wanted
    }
}

fn wrong_arity(name: &str) -> Refusal {
    Refusal::Detailed(format!(
        "ERR wrong number of arguments for '{name}' command"
    ))
}

fn unknown(arguments: Arguments<'_>) -> Refusal {
    let mut quoted = String::new();
    for argument in arguments.from(1) {
        let length = quoted.chars().count();
        if length >= MOST_QUOTED {
            break;
        }
        quoted += &format!("'{}' ", quote(argument, MOST_QUOTED - length));
    }
    let name = quote(arguments.at(0), MOST_QUOTED);
    Refusal::Detailed(format!(
        "ERR unknown command '{name}', with args beginning with: {quoted}"
    ))
}

fn unknown_subcommand(name: &[u8], of: &str) -> Refusal {
    let name = quote(name, MOST_QUOTED);
    Refusal::Detailed(format!("ERR unknown subcommand '{name}'. Try {of} HELP."))
}

/// Up to `most` bytes, as the chars of the same numbers, so that they come out as they are. As in
/// Redis, a zero ends them.
fn quote(bytes: &[u8], most: usize) -> String {
    let bytes = bytes.iter().take(most).take_while(|byte| **byte != 0);
    bytes.map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_in_any_case() {
        for command in COMMANDS {
            let upper = command.name.to_ascii_uppercase();
            assert_eq!(find(upper.as_bytes()).unwrap().name, command.name);
        }
        assert!(find(b"ge").is_none());
        assert!(find(&[b'a'; 200]).is_none());
    }
}
