//! Places for a bounded number of things, each known by a key that is never given twice.

use crate::poller::Key;

#[derive(Debug)]
pub(crate) struct Slots<T> {
    entries: Vec<Option<(u32, T)>>,
    generation: u32,
    max: u16,
}

impl<T> Slots<T> {
    pub(crate) fn new(max: u16) -> Self {
        Self { entries: Vec::new(), generation: 0, max }
    }

    /// The key that the next [`Slots::insert`] uses, or `None` if all places are taken.
    pub(crate) fn next_key(&self) -> Option<Key> {
        let free = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        let slot = u16::try_from(free).ok().filter(|&slot| slot < self.max)?;
        Some(Key { slot, generation: self.generation })
    }

    /// `key` is what [`Slots::next_key`] has just said.
    pub(crate) fn insert(&mut self, key: Key, value: T) {
        let slot = usize::from(key.slot);
        if slot == self.entries.len() {
            self.entries.push(None);
        }
        self.entries[slot] = Some((key.generation, value));
        self.generation = self.generation.wrapping_add(1);
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.entries.get_mut(usize::from(key.slot)) {
            Some(Some((generation, value))) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get_mut(key)?;
        self.entries.get_mut(usize::from(key.slot))?.take().map(|(_, value)| value)
    }

    /// The keys of all, as they are now.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let keyed = |(slot, entry): (usize, &Option<(u32, T)>)| {
            let generation = entry.as_ref()?.0;
            Some(Key { slot: u16::try_from(slot).ok()?, generation })
        };
        self.entries.iter().enumerate().filter_map(keyed).collect()
    }

    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<Key> {
        self.entries.iter().enumerate().find_map(|(slot, entry)| {
            let (generation, value) = entry.as_ref()?;
            let key = Key { slot: u16::try_from(slot).ok()?, generation: *generation };
            wanted(value).then_some(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_open_its_slot_to_another() {
        let mut slots = Slots::new(1);
        let old = slots.next_key().unwrap();
        slots.insert(old, 'a');
        assert_eq!(slots.next_key(), None);
        assert_eq!(slots.remove(old), Some('a'));
        let new = slots.next_key().unwrap();
        slots.insert(new, 'b');
        assert_eq!(slots.get_mut(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.get_mut(new), Some(&mut 'b'));
        assert_eq!(slots.keys(), [new]);
    }
}
