//! The write queue against a list of bytes.

use std::cell::RefCell;
use std::io::IoSlice;
use std::rc::Rc;

use crate::fuzzing::Input;
use crate::machine::data::Data;
use crate::machine::write_queue::{SLICES, WriteQueue};

/// What the queue should hold.
#[derive(Default)]
struct Model {
    bytes: Vec<u8>,
    accepted: u64,
    /// Where the write of the last callback ends.
    written: u64,
    callbacks: Vec<Waiter>,
    /// How many at the front are settled.
    due: usize,
    next_id: u32,
}

#[derive(Clone, Copy)]
struct Waiter {
    begin: u64,
    end: u64,
    /// The callbacks of one request have the same.
    request: u32,
    id: u32,
}

/// The callbacks that were called.
type Called = Rc<RefCell<Vec<u32>>>;

/// Pushes, sends and calls as the bytes say, and compares each answer with the model's.
pub fn write_queue(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut queue = WriteQueue::take();
    let mut model = Model::default();
    let called = Called::default();
    while !input.is_empty() {
        match input.below(9) {
            0..3 => push(&mut input, &mut queue, &mut model),
            3..5 => send(&mut input, &mut queue, &mut model),
            5 => push_callback(&mut queue, &mut model, &called),
            6 => gather(&mut input, &mut queue, &mut model),
            _ => call(&mut input, &mut queue, &mut model, &called),
        }
        compare(&queue, &model);
    }
    queue.clear_bytes();
    while queue.pop_unsettled().is_some() {}
    while queue.pop_settled().is_some() {}
    WriteQueue::give(queue);
}

fn push_callback(queue: &mut WriteQueue, model: &mut Model, called: &Called) {
    let (id, called) = (model.next_id, Rc::clone(called));
    model.next_id += 1;
    let (begin, end) = (model.written, model.accepted);
    model.written = end;
    model.callbacks.push(Waiter {
        begin,
        end,
        request: id,
        id,
    });
    let callback = move |_| called.borrow_mut().push(id);
    queue.push_callback_if(begin, end, Some(Box::new(callback)));
}

fn gather(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model) {
    let end = model.accepted;
    let sent = end - model.bytes.len() as u64;
    let first = model.callbacks.get(model.due);
    let begin = match (input.flag(), first) {
        (true, Some(first)) => first.begin,
        // Behind all that is settled.
        _ => model.callbacks[..model.due]
            .last()
            .map_or(sent, |last| last.end.max(sent)),
    };
    let unsettled = model.callbacks[model.due..].iter_mut();
    let mut gathered: Vec<_> = unsettled.filter(|waiter| waiter.begin >= begin).collect();
    assert_eq!(queue.gather(begin, end), !gathered.is_empty());
    if let Some(request) = gathered.first().map(|first| first.request) {
        for waiter in &mut gathered {
            (waiter.begin, waiter.end, waiter.request) = (begin, end, request);
        }
        model.written = end;
    }
}

/// Settles what was sent and calls for the first request of that; or fails the first who is not settled.
fn call(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model, called: &Called) {
    called.borrow_mut().clear();
    let mut expected = Vec::new();
    let sent = model.accepted - model.bytes.len() as u64;
    let unsettled = &model.callbacks[model.due..];
    let joined = |waiters: &[Waiter]| match waiters.first() {
        Some(first) => waiters
            .iter()
            .take_while(|waiter| waiter.request == first.request)
            .count(),
        None => 0,
    };
    match input.below(4) {
        0 => {
            let reached = unsettled.iter().take_while(|waiter| waiter.end <= sent);
            let reached = reached.count();
            let last = unsettled[..reached].last();
            assert_eq!(queue.settle_upto(sent), last.map(|last| last.end));
            model.due += reached;
        }
        1 => {
            queue.settle_next();
            model.due += joined(unsettled);
        }
        2 => {
            let count = joined(&model.callbacks[..model.due]);
            expected.extend(model.callbacks.drain(..count).map(|waiter| waiter.id));
            model.due -= count;
            let mut next = queue.pop_settled();
            while let Some((callback, more)) = next {
                callback(Ok(()));
                next = more.then(|| queue.pop_settled()).flatten();
            }
        }
        _ => {
            let next = unsettled.first().map(|waiter| (waiter.begin, waiter.end));
            assert_eq!(queue.next_unsettled(), next);
            let count = joined(unsettled);
            let failed = model.callbacks.drain(model.due..model.due + count);
            expected.extend(failed.map(|waiter| waiter.id));
            let mut next = queue.pop_unsettled();
            while let Some((callback, more)) = next {
                callback(Ok(()));
                next = more.then(|| queue.pop_unsettled()).flatten();
            }
        }
    }
    assert_eq!(*called.borrow(), expected);
    assert_eq!(queue.unsettled(), model.callbacks.len() - model.due);
}

fn push(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model) {
    const SIZES: [usize; 8] = [0, 1, 7, 1023, 1024, 1025, 40_000, 64 * 1024];
    // Copied and compared by the block: a sanitizer makes a loop over bytes slow.
    static PATTERN: [[u8; 256]; 257] = [counting(); 257];
    let (len, seed) = (input.choose(&SIZES), input.byte() as usize);
    let bytes = PATTERN.as_flattened()[seed..seed + len].to_vec();
    model.bytes.extend_from_slice(&bytes);
    model.accepted += len as u64;
    match input.below(4) {
        0 => queue.push(Data::from(&bytes)),
        1 => queue.push(Data::from(bytes)),
        2 => queue.push(Data::from(Rc::<[u8]>::from(bytes))),
        _ => queue.push(Data::from(std::sync::Arc::<[u8]>::from(bytes))),
    }
}

const fn counting() -> [u8; 256] {
    let mut bytes = [0; 256];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = index as u8;
        index += 1;
    }
    bytes
}

fn send(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model) {
    let offered = match queue.only_chunk() {
        Some(chunk) => {
            assert_eq!(chunk, model.bytes, "the only chunk is all there is");
            chunk.len()
        }
        None => {
            let most = model.bytes.len() * (1 + input.below(4)) / 4;
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.slices(&mut slices, most);
            let mut offered = 0;
            for slice in &slices[..count] {
                assert_eq!(**slice, model.bytes[offered..][..slice.len()]);
                offered += slice.len();
            }
            assert!(offered <= most && (most == 0 || offered > 0));
            offered
        }
    };
    let sent = match input.below(4) {
        0 => offered,
        1 => offered.min(input.byte() as usize),
        2 => offered.saturating_sub(1),
        _ => offered / 2,
    };
    let begun = queue.advance(sent);
    model.bytes.drain(..sent);
    assert!(begun == 0 || queue.first_left() > 0);
}

fn compare(queue: &WriteQueue, model: &Model) {
    queue.check();
    assert_eq!(queue.bytes(), model.bytes.len());
    assert_eq!(
        queue.is_empty(),
        model.bytes.is_empty() && model.callbacks.is_empty()
    );
    assert!(queue.first_left() <= queue.bytes());
}

/// The queue against its model, on numbers that are the same in every run.
#[test]
fn the_write_queue_agrees_with_a_list_of_bytes() {
    let mut state = 0x5eed_u64;
    for _ in 0..200 {
        let bytes = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        });
        write_queue(&bytes.take(100).collect::<Vec<u8>>());
    }
}
