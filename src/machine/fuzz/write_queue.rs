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
    /// Where each callback waits, and which it is.
    callbacks: Vec<(u64, u32)>,
    /// How many at the front are settled.
    due: usize,
    next_id: u32,
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
    while queue.pop_settled(u64::MAX).is_some() {}
    WriteQueue::give(queue);
}

fn push_callback(queue: &mut WriteQueue, model: &mut Model, called: &Called) {
    let (id, called) = (model.next_id, Rc::clone(called));
    model.next_id += 1;
    model.callbacks.push((model.accepted, id));
    let callback = move |_| called.borrow_mut().push(id);
    queue.push_callback_if(model.accepted, Some(Box::new(callback)));
}

fn gather(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model) {
    let end = model.accepted;
    let (any, gathered) = if input.flag() {
        let any = queue.gather_unsettled(end);
        (any, &mut model.callbacks[model.due..])
    } else {
        let begin = model.accepted - model.bytes.len() as u64;
        let first = model
            .callbacks
            .partition_point(|(position, _)| *position <= begin);
        (
            queue.gather_callbacks(begin, end),
            &mut model.callbacks[first..],
        )
    };
    assert_eq!(any, !gathered.is_empty());
    gathered
        .iter_mut()
        .for_each(|(position, _)| *position = end);
}

/// Settles what was sent and calls who waits for that; or fails the first who is not settled.
fn call(input: &mut Input<'_>, queue: &mut WriteQueue, model: &mut Model, called: &Called) {
    called.borrow_mut().clear();
    let mut expected = Vec::new();
    let settled = model.accepted - model.bytes.len() as u64;
    match input.below(3) {
        0 => {
            queue.settle(settled);
            let reached = model
                .callbacks
                .iter()
                .take_while(|(position, _)| *position <= settled);
            model.due = model.due.max(reached.count());
            let next = model.callbacks.first().filter(|_| model.due > 0);
            assert_eq!(queue.next_settled(), next.map(|(position, _)| *position));
        }
        1 => {
            while let Some(callback) = queue.pop_settled(settled) {
                callback(Ok(()));
            }
            expected.extend(model.callbacks.drain(..model.due).map(|(_, id)| id));
            model.due = 0;
        }
        _ => {
            if let Some(callback) = queue.pop_unsettled() {
                callback(Ok(()));
            }
            if model.due < model.callbacks.len() {
                expected.push(model.callbacks.remove(model.due).1);
            }
        }
    }
    assert_eq!(*called.borrow(), expected);
    assert_eq!(queue.has_unsettled(), model.callbacks.len() > model.due);
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
