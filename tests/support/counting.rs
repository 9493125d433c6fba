//! An allocator that counts what this thread allocates, for tests of what must not allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts, and leaves the rest to the system.
pub struct Counting;

/// How often memory was asked for, for how many bytes, and how many of them are in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocated {
    pub times: usize,
    pub bytes: usize,
    /// Of those that this thread asked for; negative where it frees what others did.
    pub in_use: isize,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> = const {
        Cell::new(Allocated { times: 0, bytes: 0, in_use: 0 })
    };
}

/// What this thread has allocated so far; and that it is counted at all.
pub fn so_far() -> Allocated {
    let before = ALLOCATED.get();
    drop(std::hint::black_box(Box::new(0u64)));
    assert_eq!(since(before).times, 1, "allocations are counted");
    ALLOCATED.get()
}

/// What this thread has allocated since `before`.
pub fn since(before: Allocated) -> Allocated {
    let now = ALLOCATED.get();
    Allocated {
        times: now.times - before.times,
        bytes: now.bytes - before.bytes,
        in_use: now.in_use - before.in_use,
    }
}

fn count(asked: Option<usize>, freed: usize) {
    // A thread on its way out is not counted any more.
    let _ = ALLOCATED.try_with(|allocated| {
        let bytes = asked.unwrap_or(0);
        let before = allocated.get();
        allocated.set(Allocated {
            times: before.times + usize::from(asked.is_some()),
            bytes: before.bytes + bytes,
            in_use: before.in_use + bytes as isize - freed as isize,
        });
    });
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(Some(layout.size()), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(None, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(Some(new_size), layout.size());
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
