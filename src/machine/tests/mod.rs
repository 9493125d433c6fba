//! The state machine in a scripted world: one scenario for each row of the tables in the modules'
//! documentation, and every sequence of operations up to a bounded length.

mod explore;
