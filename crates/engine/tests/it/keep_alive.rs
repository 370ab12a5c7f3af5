//! Keep-alive policies against naive models of them.

mod greedy_dual;
mod hearth;
mod hybrid;
