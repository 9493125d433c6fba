//! Lists: queues that grow and shrink at both ends.

use std::collections::VecDeque;

use super::super::integer;
use super::super::store::Value;
use super::{Call, Outcome, Refusal, WRONG_TYPE, wrong_arity};

const NOT_POSITIVE: Refusal = Refusal::Fixed("ERR value is out of range, must be positive");

type List = VecDeque<Box<[u8]>>;

/// `LPUSH key item …`
pub fn lpush(call: &mut Call) -> Outcome {
    push(call, List::push_front)
}

/// `RPUSH key item …`
pub fn rpush(call: &mut Call) -> Outcome {
    push(call, List::push_back)
}

/// `LPOP key [count]`
pub fn lpop(call: &mut Call) -> Outcome {
    pop(call, "lpop", List::pop_front)
}

/// `RPOP key [count]`
pub fn rpop(call: &mut Call) -> Outcome {
    pop(call, "rpop", List::pop_back)
}

/// `LLEN key`
pub fn llen(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let len = match call.database().get(key) {
        Some(Value::List(list)) => list.len(),
        Some(_) => return Err(WRONG_TYPE),
        None => 0,
    };
    call.replies.count(len);
    Ok(())
}

/// `LRANGE key first last`; negative positions count from the end.
pub fn lrange(call: &mut Call) -> Outcome {
    let (first, last) = (call.integer(2)?, call.integer(3)?);
    let key = call.arguments.at(1);
    let replies = &mut *call.replies;
    let list = match call.store.database(call.client.database, call.now).get(key) {
        Some(Value::List(list)) => list,
        Some(_) => return Err(WRONG_TYPE),
        None => {
            replies.array(0);
            return Ok(());
        }
    };
    let from_start = |position: i64| match usize::try_from(position) {
        Ok(position) => position.min(list.len()),
        Err(_) => list.len().saturating_sub(position.unsigned_abs() as usize),
    };
    let begin = from_start(first);
    // One past the last, which may be in front of the first item.
    let end = match last.checked_add(1) {
        Some(0) | None => list.len(),
        Some(next) => from_start(next),
    };
    replies.array(end.saturating_sub(begin));
    for item in list.range(begin..end.max(begin)) {
        replies.bulk(item);
    }
    Ok(())
}

fn push(call: &mut Call, push: fn(&mut List, Box<[u8]>)) -> Outcome {
    let key = call.arguments.at(1);
    let items = call.arguments.from(2);
    let database = call.store.database(call.client.database, call.now);
    let len = match database.get_mut(key) {
        Some(Value::List(list)) => {
            items.for_each(|item| push(list, Box::from(item)));
            list.len()
        }
        Some(_) => return Err(WRONG_TYPE),
        None => {
            let mut list = List::new();
            items.for_each(|item| push(&mut list, Box::from(item)));
            let len = list.len();
            database.set(key, Value::List(list));
            len
        }
    };
    call.replies.count(len);
    Ok(())
}

fn pop(call: &mut Call, name: &str, pop: fn(&mut List) -> Option<Box<[u8]>>) -> Outcome {
    let arguments = call.arguments;
    let count = match arguments.len() {
        2 => None,
        3 => {
            let count = integer::parse(arguments.at(2));
            Some(
                count
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or(NOT_POSITIVE)?,
            )
        }
        _ => return Err(wrong_arity(name)),
    };
    let key = arguments.at(1);
    let replies = &mut *call.replies;
    let database = call.store.database(call.client.database, call.now);
    let list = match (database.get_mut(key), count) {
        (Some(Value::List(list)), _) => list,
        (Some(_), _) => return Err(WRONG_TYPE),
        (None, None) => {
            replies.null();
            return Ok(());
        }
        (None, Some(_)) => {
            replies.null_array();
            return Ok(());
        }
    };
    match count {
        None => replies.optional(pop(list).as_deref()),
        Some(count) => {
            let count = count.min(list.len());
            replies.array(count);
            for _ in 0..count {
                replies.optional(pop(list).as_deref());
            }
        }
    }
    if list.is_empty() {
        database.remove(key);
    }
    Ok(())
}
