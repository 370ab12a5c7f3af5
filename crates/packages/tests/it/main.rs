//! Archives and packages, on real files.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod package;
#[cfg(test)]
mod raw_zip;
