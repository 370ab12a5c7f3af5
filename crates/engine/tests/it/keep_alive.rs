//! Keep-alive policies against naive models of them.

mod greedy_dual;
mod hearth;
mod hearth_model;
mod hybrid;
