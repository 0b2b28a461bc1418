//! Where stories and texts stand by number, and the lists that lead to them.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// Things by number, in the order in which they were put there.
#[derive(Clone, Debug)]
pub(super) struct Shelf<T> {
    first: u32,
    places: VecDeque<Option<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { first: 0, places: VecDeque::new() }
    }
}

impl<T> Shelf<T> {
    /// Puts one more thing there and gives its number.
    pub(super) fn push(&mut self, thing: T) -> u32 {
        let number = self.first + self.places.len() as u32;
        self.places.push_back(Some(thing));
        number
    }

    /// The place of a number, counted from the oldest thing that is there.
    pub(super) fn place(&self, number: u32) -> Option<usize> {
        number.checked_sub(self.first).map(|place| place as usize)
    }

    pub(super) fn number(&self, place: usize) -> u32 {
        self.first + place as u32
    }

    /// How many places there are, empty ones included.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.places.get(self.place(number)?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let place = self.place(number)?;
        self.places.get_mut(place)?.as_mut()
    }

    pub(super) fn take(&mut self, number: u32) -> Option<T> {
        let place = self.place(number)?;
        let taken = self.places.get_mut(place)?.take();
        self.close_up();
        taken
    }

    /// Takes away what is not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for place in &mut self.places {
            if place.as_ref().is_some_and(|thing| !keep(thing)) {
                *place = None;
            }
        }
        self.close_up();
    }

    fn close_up(&mut self) {
        while self.places.front().is_some_and(Option::is_none) {
            self.places.pop_front();
            self.first += 1;
        }
    }
}

/// Lists of numbers by key. Most have one number, which needs no list.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// The only number, or with [`MANY`] the place of the list.
    heads: HashMap<u32, u32>,
    lists: Vec<Vec<u32>>,
    free: Vec<u32>,
}

/// Numbers stay below this.
const MANY: u32 = 1 << 31;

impl Lists {
    /// The numbers of a key, the oldest first.
    pub(super) fn get(&self, key: u32) -> &[u32] {
        match self.heads.get(&key) {
            None => &[],
            Some(head) if head & MANY == 0 => std::slice::from_ref(head),
            Some(head) => self.lists.get((head ^ MANY) as usize).map_or(&[], Vec::as_slice),
        }
    }

    pub(super) fn push(&mut self, key: u32, number: u32) {
        let Some(head) = self.heads.get_mut(&key) else {
            self.heads.insert(key, number);
            return;
        };
        if *head & MANY != 0 {
            if let Some(list) = self.lists.get_mut((*head ^ MANY) as usize) {
                list.push(number);
            }
            return;
        }
        let list = vec![*head, number];
        let place = self.free.pop().unwrap_or(self.lists.len() as u32);
        match self.lists.get_mut(place as usize) {
            Some(free) => *free = list,
            None => self.lists.push(list),
        }
        *head = place | MANY;
    }

    /// Drops the numbers that are not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        let Self { heads, lists, free } = self;
        heads.retain(|_, head| {
            if *head & MANY == 0 {
                return keep(*head);
            }
            let place = *head ^ MANY;
            let Some(list) = lists.get_mut(place as usize) else { return false };
            list.retain(|number| keep(*number));
            if list.capacity() > 2 * list.len() {
                list.shrink_to_fit();
            }
            let left = list.first().copied();
            if list.len() < 2 {
                *list = Vec::new();
                free.push(place);
                *head = left.unwrap_or_default();
            }
            left.is_some()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_number_while_older_ones_go() {
        let mut shelf = Shelf::default();
        let numbers: Vec<u32> = ["a", "b", "c"].into_iter().map(|x| shelf.push(x)).collect();
        assert_eq!(shelf.take(numbers[1]), Some("b"));
        assert_eq!(shelf.take(numbers[0]), Some("a"));
        assert_eq!(shelf.get(numbers[2]), Some(&"c"));
        assert_eq!((shelf.get(numbers[0]), shelf.places()), (None, 1));
        shelf.retain(|thing| *thing != "c");
        assert_eq!((shelf.push("d"), shelf.get(numbers[2])), (3, None));
    }

    #[test]
    fn lists_grow_and_shrink_in_order() {
        let mut lists = Lists::default();
        for number in 0..6 {
            lists.push(number % 2, number);
        }
        lists.push(7, 9);
        assert_eq!((lists.get(0), lists.get(7)), (&[0, 2, 4][..], &[9][..]));
        lists.retain(|number| number == 4 || number == 1 || number == 3);
        assert_eq!((lists.get(0), lists.get(1), lists.get(7)), (&[4][..], &[1, 3][..], &[][..]));
        lists.push(7, 1);
        lists.push(7, 2);
        lists.push(0, 8);
        assert_eq!((lists.get(7), lists.get(0)), (&[1, 2][..], &[4, 8][..]));
    }
}
