//! An allocator that counts what this thread allocates, for tests of what must not allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts, and leaves the rest to the system.
pub struct Counting;

/// How often memory was asked for, and for how many bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocated {
    pub times: usize,
    pub bytes: usize,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

/// What this thread has allocated so far.
pub fn so_far() -> Allocated {
    ALLOCATED.get()
}

/// What this thread has allocated since `before`.
pub fn since(before: Allocated) -> Allocated {
    let now = so_far();
    Allocated {
        times: now.times - before.times,
        bytes: now.bytes - before.bytes,
    }
}

fn count(bytes: usize) {
    // A thread on its way out is not counted any more.
    let _ = ALLOCATED.try_with(|allocated| {
        let Allocated {
            times,
            bytes: total,
        } = allocated.get();
        allocated.set(Allocated {
            times: times + 1,
            bytes: total + bytes,
        });
    });
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
