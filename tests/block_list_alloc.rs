//! Checking an address allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use soquete::net::BlockList;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

// Without the test harness, whose threads allocate whenever they like.
fn main() {
    let list = BlockList::new();
    list.add_cidrs(BlockList::PRIVATE_RANGES).unwrap();
    let before = ALLOCATIONS.load(Relaxed);
    assert!(list.check("10.0.0.1") && list.check("::ffff:10.0.0.1") && list.check("fe80::1%lo"));
    assert!(!list.check("8.8.8.8") && !list.check("2001:db8::1") && !list.check("no address"));
    assert_eq!(
        ALLOCATIONS.load(Relaxed) - before,
        0,
        "allocations in check"
    );
    let text = list.rules();
    assert!(
        ALLOCATIONS.load(Relaxed) > before + text.len(),
        "nothing is counted"
    );
}
