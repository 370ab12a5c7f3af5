//! Declared capacity on a real store in a directory of its own.

#[cfg(test)]
mod capacity;
