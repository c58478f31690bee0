//! Lines of a cycle, worked out by hand.
