//! What every store must keep, shown on real files.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod artifact;
#[cfg(test)]
mod blob;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod model;
#[cfg(test)]
mod raw_zip;
