//! Zip archives written by hand, with every field open to abuse.

/// What the local and the central header of one entry say; stored without compression unless `method` says else.
#[derive(Clone, Debug)]
pub(crate) struct RawEntry {
    pub name: Vec<u8>,
    pub data: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// That it was made on: 3 is Unix, 0 is DOS.
    pub system: u8,
    /// Unix mode with type bits.
    pub mode: u32,
    pub size: u32,
    pub compressed_size: u32,
    pub crc: u32,
    /// Instead of where the entry really is.
    pub offset: Option<u32>,
}

impl RawEntry {
    pub(crate) fn file(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref().to_vec();
        Self {
            name: name.as_ref().to_vec(),
            method: 0,
            flags: 0,
            system: 3,
            mode: 0o100_644,
            size: u32::try_from(data.len()).unwrap(),
            compressed_size: u32::try_from(data.len()).unwrap(),
            crc: crc32(&data),
            offset: None,
            data,
        }
    }

    pub(crate) fn link(name: &str, target: &str) -> Self {
        Self { mode: 0o120_777, ..Self::file(name, target) }
    }

    pub(crate) fn dir(name: &str) -> Self {
        Self { mode: 0o040_755, ..Self::file(name, "") }
    }
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

pub(crate) fn zip(entries: &[RawEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(u32::try_from(out.len()).unwrap());
        if entry.offset.is_none() {
            out.extend(b"PK\x03\x04\x14\x00");
            out.extend(fields(entry));
            out.extend(&entry.name);
            out.extend(&entry.data);
        }
        central.extend([b'P', b'K', 1, 2, 20, entry.system, 20, 0]);
        central.extend(fields(entry));
        central.extend([0; 6]);
        central.extend((entry.mode << 16).to_le_bytes());
        central.extend(offset.to_le_bytes());
        central.extend(&entry.name);
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    out.extend(&central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// From flags to the length of the extra field, which both headers have in common.
fn fields(entry: &RawEntry) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(entry.flags.to_le_bytes());
    out.extend(entry.method.to_le_bytes());
    out.extend([0, 0, 0x21, 0]);
    out.extend(entry.crc.to_le_bytes());
    out.extend(entry.compressed_size.to_le_bytes());
    out.extend(entry.size.to_le_bytes());
    out.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
    out.extend([0, 0]);
    out
}
