//! Strings: set, read and counted.

use super::super::integer;
use super::super::store::Value;
use super::{Call, NOT_AN_INTEGER, Outcome, Refusal, SYNTAX_ERROR, WRONG_TYPE, wrong_arity};

const OVERFLOW: Refusal = Refusal::Fixed("ERR increment or decrement would overflow");
const INVALID_EXPIRY: Refusal = Refusal::Fixed("ERR invalid expire time in 'set' command");

/// `GET key`
pub fn get(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let replies = &mut *call.replies;
    match call.store.database(call.client.database, call.now).get(key) {
        Some(Value::String(value)) => replies.bulk(value),
        Some(_) => return Err(WRONG_TYPE),
        None => replies.null(),
    }
    Ok(())
}

/// `SET key value [NX | XX] [GET] [EX seconds | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub fn set(call: &mut Call) -> Outcome {
    let options = SetOptions::parse(call)?;
    let deadline = options.deadline(call)?;
    let (key, value) = (call.arguments.at(1), call.arguments.at(2));
    if options.get {
        get(call)?;
    }
    if options.condition != Condition::Always {
        let exists = call.database().contains(key);
        if exists != (options.condition == Condition::IfThere) {
            if !options.get {
                call.replies.null();
            }
            return Ok(());
        }
    }
    let database = call.database();
    let deadline = if options.expiry == Expiry::Keep {
        database.deadline(key)
    } else {
        deadline
    };
    database.set(key, Value::String(value.to_vec()));
    if deadline.is_some() {
        database.set_deadline(key, deadline);
    }
    if !options.get {
        call.replies.ok();
    }
    Ok(())
}

/// `MGET key …`
pub fn mget(call: &mut Call) -> Outcome {
    let keys = call.arguments.from(1);
    call.replies.array(keys.len());
    for key in keys {
        match call.store.database(call.client.database, call.now).get(key) {
            Some(Value::String(value)) => call.replies.bulk(value),
            _ => call.replies.null(),
        }
    }
    Ok(())
}

/// `MSET key value …`
pub fn mset(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if arguments.len().is_multiple_of(2) {
        return Err(wrong_arity("mset"));
    }
    for at in (1..arguments.len()).step_by(2) {
        let value = arguments.at(at + 1).to_vec();
        call.database().set(arguments.at(at), Value::String(value));
    }
    call.replies.ok();
    Ok(())
}

/// `INCR key`
pub fn incr(call: &mut Call) -> Outcome {
    add(call, 1)
}

/// `DECR key`
pub fn decr(call: &mut Call) -> Outcome {
    add(call, -1)
}

/// `INCRBY key amount`
pub fn incrby(call: &mut Call) -> Outcome {
    let amount = call.integer(2)?;
    add(call, amount)
}

/// `DECRBY key amount`
pub fn decrby(call: &mut Call) -> Outcome {
    let amount = call.integer(2)?.checked_neg();
    add(
        call,
        amount.ok_or(Refusal::Fixed("ERR decrement would overflow"))?,
    )
}

fn add(call: &mut Call, amount: i64) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.database();
    let sum = match database.get_mut(key) {
        Some(Value::String(text)) => {
            let value = integer::parse(text).ok_or(NOT_AN_INTEGER)?;
            let sum = value.checked_add(amount).ok_or(OVERFLOW)?;
            text.clear();
            text.extend_from_slice(sum.to_string().as_bytes());
            sum
        }
        Some(_) => return Err(WRONG_TYPE),
        None => {
            database.set(key, Value::String(amount.to_string().into_bytes()));
            amount
        }
    };
    call.replies.integer(sum);
    Ok(())
}

struct SetOptions {
    condition: Condition,
    expiry: Expiry,
    get: bool,
}

#[derive(PartialEq, Eq)]
enum Condition {
    Always,
    IfAbsent,
    IfThere,
}

/// When a value expires. The index is that of the argument which says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Never,
    Keep,
    At {
        index: usize,
        unit: i64,
        relative: bool,
    },
}

impl SetOptions {
    fn parse(call: &Call) -> Result<SetOptions, Refusal> {
        let mut options = SetOptions {
            condition: Condition::Always,
            expiry: Expiry::Never,
            get: false,
        };
        let mut at = 3;
        while at < call.arguments.len() {
            let words = [
                ("EX", 1000, true),
                ("PX", 1, true),
                ("EXAT", 1000, false),
                ("PXAT", 1, false),
            ];
            let expiry = words.into_iter().find(|(word, ..)| call.is(at, word));
            if let Some((_, unit, relative)) = expiry {
                at += 1;
                if options.expiry != Expiry::Never || at == call.arguments.len() {
                    return Err(SYNTAX_ERROR);
                }
                options.expiry = Expiry::At {
                    index: at,
                    unit,
                    relative,
                };
            } else if call.is(at, "NX") && options.condition != Condition::IfThere {
                options.condition = Condition::IfAbsent;
            } else if call.is(at, "XX") && options.condition != Condition::IfAbsent {
                options.condition = Condition::IfThere;
            } else if call.is(at, "GET") {
                options.get = true;
            } else if call.is(at, "KEEPTTL")
                && matches!(options.expiry, Expiry::Never | Expiry::Keep)
            {
                options.expiry = Expiry::Keep;
            } else {
                return Err(SYNTAX_ERROR);
            }
            at += 1;
        }
        Ok(options)
    }

    fn deadline(&self, call: &Call) -> Result<Option<i64>, Refusal> {
        let Expiry::At {
            index,
            unit,
            relative,
        } = self.expiry
        else {
            return Ok(None);
        };
        let amount = call.integer(index)?;
        if amount <= 0 {
            return Err(INVALID_EXPIRY);
        }
        let base = if relative { call.now } else { 0 };
        let at = amount
            .checked_mul(unit)
            .and_then(|amount| amount.checked_add(base));
        at.map(Some).ok_or(INVALID_EXPIRY)
    }
}
