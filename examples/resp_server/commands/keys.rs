//! Keys, whatever their values are: removed, counted, expiring.

use super::super::store::Value;
use super::{Call, Outcome, Refusal, SYNTAX_ERROR};

/// `DEL key …`
pub fn del(call: &mut Call) -> Outcome {
    let database = call.store.database(call.client.database, call.now);
    let removed = call
        .arguments
        .from(1)
        .filter(|key| database.remove(key))
        .count();
    call.replies.count(removed);
    Ok(())
}

/// `EXISTS key …`; one that is named twice counts twice.
pub fn exists(call: &mut Call) -> Outcome {
    let database = call.store.database(call.client.database, call.now);
    let there = call
        .arguments
        .from(1)
        .filter(|key| database.contains(key))
        .count();
    call.replies.count(there);
    Ok(())
}

/// `TYPE key`
pub fn kind(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let kind = match call.database().get(key) {
        Some(Value::String(_)) => "string",
        Some(Value::List(_)) => "list",
        None => "none",
    };
    call.replies.status(kind);
    Ok(())
}

/// `DBSIZE`
pub fn dbsize(call: &mut Call) -> Outcome {
    let keys = call.database().len();
    call.replies.count(keys);
    Ok(())
}

/// `FLUSHDB [ASYNC | SYNC]`
pub fn flushdb(call: &mut Call) -> Outcome {
    check_flush(call)?;
    call.database().clear();
    call.replies.ok();
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`
pub fn flushall(call: &mut Call) -> Outcome {
    check_flush(call)?;
    call.store.clear();
    call.replies.ok();
    Ok(())
}

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub fn expire(call: &mut Call) -> Outcome {
    let invalid = Refusal::Fixed("ERR invalid expire time in 'expire' command");
    expire_in(call, 1000, invalid)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub fn pexpire(call: &mut Call) -> Outcome {
    let invalid = Refusal::Fixed("ERR invalid expire time in 'pexpire' command");
    expire_in(call, 1, invalid)
}

/// `TTL key`
pub fn ttl(call: &mut Call) -> Outcome {
    time_left(call, |left| left.saturating_add(500) / 1000)
}

/// `PTTL key`
pub fn pttl(call: &mut Call) -> Outcome {
    time_left(call, |left| left)
}

/// `PERSIST key`
pub fn persist(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.database();
    let expires = database.deadline(key).is_some();
    if expires {
        database.set_deadline(key, None);
    }
    call.replies.integer(expires.into());
    Ok(())
}

fn time_left(call: &mut Call, shown: fn(i64) -> i64) -> Outcome {
    let (key, now) = (call.arguments.at(1), call.now);
    let database = call.database();
    let left = match database.deadline(key) {
        Some(deadline) => shown(deadline - now),
        None if database.contains(key) => -1,
        None => -2,
    };
    call.replies.integer(left);
    Ok(())
}

fn expire_in(call: &mut Call, unit: i64, invalid: Refusal) -> Outcome {
    let condition = ExpireIf::parse(call)?;
    let amount = call.integer(2)?.checked_mul(unit);
    let deadline = amount
        .and_then(|amount| amount.checked_add(call.now))
        .ok_or(invalid)?;
    let key = call.arguments.at(1);
    let database = call.database();
    let set = database.contains(key) && condition.holds(database.deadline(key), deadline);
    if set {
        database.set_deadline(key, Some(deadline));
    }
    call.replies.integer(set.into());
    Ok(())
}

/// Under which conditions a key is to expire at another time than before.
#[derive(Default)]
struct ExpireIf {
    never_before: bool,
    some_time_before: bool,
    later: bool,
    sooner: bool,
}

impl ExpireIf {
    fn parse(call: &Call) -> Result<ExpireIf, Refusal> {
        let mut condition = ExpireIf::default();
        for at in 3..call.arguments.len() {
            let named = [
                ("NX", &mut condition.never_before),
                ("XX", &mut condition.some_time_before),
                ("GT", &mut condition.later),
                ("LT", &mut condition.sooner),
            ];
            let Some((_, chosen)) = named.into_iter().find(|(word, _)| call.is(at, word)) else {
                let option = super::quote(call.arguments.at(at), usize::MAX);
                return Err(Refusal::Detailed(format!(
                    "ERR Unsupported option {option}"
                )));
            };
            *chosen = true;
        }
        let ExpireIf {
            never_before,
            some_time_before,
            later,
            sooner,
        } = condition;
        if never_before && (some_time_before || later || sooner) {
            return Err(Refusal::Fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if later && sooner {
            return Err(Refusal::Fixed(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(condition)
    }

    /// A key that does not expire counts as one that expires at the end of time.
    fn holds(&self, before: Option<i64>, deadline: i64) -> bool {
        !(self.never_before && before.is_some()
            || self.some_time_before && before.is_none()
            || self.later && before.is_none_or(|before| deadline <= before)
            || self.sooner && before.is_some_and(|before| deadline >= before))
    }
}

fn check_flush(call: &Call) -> Outcome {
    match call.arguments.len() {
        1 => Ok(()),
        2 if call.is(1, "ASYNC") || call.is(1, "SYNC") => Ok(()),
        _ => Err(SYNTAX_ERROR),
    }
}
