use std::{cmp::Reverse, collections::BinaryHeap, iter::Peekable, vec};

/// One page made of several sources' pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged<P, T> {
    /// The hits with their places, which never fall.
    pub hits: Vec<(P, T)>,
    /// Whether any source has hits after these.
    pub more: bool,
}

/// Merges lists of hits by their places, smallest first, and takes at most `most` after the place `after`.
///
/// Every source's list is taken in its own order: a hit that claims a place before the one it follows stands right behind that
/// one. So a source that orders its hits wrongly, or lies about their places, disturbs nobody else's, and a page never repeats what
/// was before `after`. Of hits with one place the first source's is kept.
pub fn merge<P: Ord + Clone, T>(sources: Vec<Vec<(P, T)>>, after: Option<&P>, most: usize) -> Merged<P, T> {
    let mut sources: Vec<_> = sources.into_iter().map(|hits| Rising::new(hits, after)).collect();
    let mut heads: BinaryHeap<_> =
        sources.iter_mut().enumerate().filter_map(|(at, source)| Some(Reverse((source.place()?, at)))).collect();
    let mut hits: Vec<(P, T)> = Vec::new();
    let mut last_source = None;
    while let Some(Reverse((place, at))) = heads.pop() {
        let Some(source) = sources.get_mut(at) else { continue };
        let is_new = last_source == Some(at) || hits.last().is_none_or(|(last, _)| *last < place);
        if is_new && hits.len() == most {
            return Merged { hits, more: true };
        }
        let hit = source.take();
        if let Some(hit) = hit.filter(|_| is_new) {
            hits.push((place, hit));
            last_source = Some(at);
        }
        heads.extend(source.place().map(|place| Reverse((place, at))));
    }
    Merged { hits, more: false }
}

/// One source's hits, at places that do not fall.
struct Rising<P, T> {
    hits: Peekable<vec::IntoIter<(P, T)>>,
    reached: Option<P>,
}

impl<P: Ord + Clone, T> Rising<P, T> {
    fn new(hits: Vec<(P, T)>, after: Option<&P>) -> Self {
        let mut hits = hits.into_iter().peekable();
        while hits.next_if(|(place, _)| after.is_some_and(|after| place <= after)).is_some() {}
        Self { hits, reached: None }
    }

    /// Where the next hit stands.
    fn place(&mut self) -> Option<P> {
        let (claimed, _) = self.hits.peek()?;
        let place = self.reached.as_ref().map_or(claimed, |reached| claimed.max(reached)).clone();
        self.reached = Some(place.clone());
        Some(place)
    }

    fn take(&mut self) -> Option<T> {
        self.hits.next().map(|(_, hit)| hit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection, prelude::*};

    use super::*;

    /// Sorted lists of which no two share a place, as honest sources give them.
    fn honest() -> impl Strategy<Value = Vec<Vec<(u32, u32)>>> {
        collection::btree_map(0..500_u32, 0..4_usize, 0..80).prop_map(|places| {
            let mut sources = vec![Vec::new(); 4];
            places.into_iter().for_each(|(place, source)| sources[source].push((place, place)));
            sources
        })
    }

    proptest! {
        #[test]
        fn pages_of_honest_sources_are_their_union_in_order(sources in honest(), size in 1..20_usize) {
            let mut pages = Vec::new();
            let mut after = None;
            loop {
                let page = merge(sources.clone(), after.as_ref(), size);
                prop_assert!(page.hits.len() == size || !page.more);
                after = page.hits.last().map(|(place, _)| *place);
                pages.extend(page.hits);
                if !page.more {
                    break;
                }
            }
            let mut all: Vec<_> = sources.into_iter().flatten().collect();
            all.sort();
            prop_assert_eq!(pages, all);
        }

        #[test]
        fn a_liar_disturbs_nobody_else(
            sources in honest(), lies in collection::vec(0..500_u32, 0..40), after in prop::option::of(0..500_u32),
        ) {
            let liar: Vec<_> = lies.into_iter().map(|place| (place, 1000 + place)).collect();
            let mut all = sources.clone();
            all.push(liar);
            let page = merge(all, after.as_ref(), usize::MAX);
            prop_assert!(page.hits.is_sorted_by(|a, b| a.0 <= b.0), "places never fall");
            prop_assert!(page.hits.iter().all(|(place, _)| Some(*place) > after));
            let honest: Vec<_> = page.hits.iter().map(|(_, hit)| *hit).filter(|hit| *hit < 1000).collect();
            let wanted: BTreeSet<_> = sources.into_iter().flatten().map(|hit| hit.1).filter(|hit| Some(*hit) > after).collect();
            prop_assert_eq!(honest, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
