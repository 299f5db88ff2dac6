//! The commands of the program `usual`: each reads its arguments' files, asks the rings below, and prints.

pub mod catalog;
