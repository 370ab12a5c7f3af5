//! The control plane on a real store in a directory of its own.

#[cfg(test)]
mod aliases;
#[cfg(test)]
mod cross_account;
#[cfg(test)]
mod flaky;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod model;
#[cfg(test)]
mod node;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod provisioned;
#[cfg(test)]
mod regions;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod snap_start;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod world;
