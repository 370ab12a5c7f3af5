//! The control plane on a real store in a directory of its own.

mod aliases;
mod functions;
mod layers;
mod model;
mod policies;
mod resolving;
mod restart;
mod settings;
mod versions;
mod world;
