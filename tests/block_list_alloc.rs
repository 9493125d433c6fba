//! Checking an address allocates nothing.

#[path = "support/counting.rs"]
mod counting;

use soquete::net::BlockList;

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

// Without the test harness, whose threads allocate whenever they like.
fn main() {
    let list = BlockList::new();
    list.add_cidrs(BlockList::PRIVATE_RANGES).unwrap();
    let before = counting::so_far();
    assert!(list.check("10.0.0.1") && list.check("::ffff:10.0.0.1") && list.check("fe80::1%lo"));
    assert!(!list.check("8.8.8.8") && !list.check("2001:db8::1") && !list.check("no address"));
    assert_eq!(counting::since(before).times, 0, "allocations in check");
    let text = list.rules();
    assert!(
        counting::since(before).times > text.len(),
        "nothing is counted"
    );
}
