//! The log store on real files.

#[cfg(test)]
mod groups;
#[cfg(test)]
mod pattern;
#[cfg(test)]
mod persistence;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod scene;
