//! The limit and the policies of a reader.

/// Two words in each of many readers: few have other policies than the default ones.
#[derive(Debug)]
pub(super) struct Rules {
    /// The longest payload that is simply a slice: the limit, unless payloads that are within it come in pieces.
    pub(super) plain: u64,
    policies: Option<Box<Policies>>,
}

#[derive(Debug)]
struct Policies {
    limit: usize,
    /// Payloads longer than this come in pieces; `usize::MAX` if none do.
    stream_above: usize,
    most_empty_parts: usize,
    keep: usize,
}

/// What becomes of a bad frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// The reader fails.
    Fail,
    /// It is dropped, and reported when it has ended.
    Skip,
    /// It is dropped, and reported at once as well.
    Tell,
}

impl Rules {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            plain: limit.min(LONGEST) as u64,
            policies: None,
        }
    }

    #[inline]
    pub(super) fn limit(&self) -> usize {
        match &self.policies {
            None => self.plain as usize,
            Some(policies) => policies.limit,
        }
    }

    #[inline]
    pub(super) fn set_limit(&mut self, limit: usize) {
        let limit = limit.min(LONGEST);
        self.plain = limit as u64;
        if let Some(policies) = &mut self.policies {
            policies.limit = limit;
            self.plain = limit.min(policies.stream_above) as u64;
        }
    }

    pub(super) fn stream_above(&self) -> usize {
        let policies = self.policies.as_ref();
        policies.map_or(usize::MAX, |policies| policies.stream_above)
    }

    pub(super) fn set_stream_above(&mut self, threshold: usize) {
        self.policies().stream_above = threshold;
        self.set_limit(self.limit());
    }

    pub(super) fn most_empty_parts(&self) -> usize {
        let policies = self.policies.as_ref();
        policies.map_or(MOST_EMPTY_PARTS, |policies| policies.most_empty_parts)
    }

    pub(super) fn set_most_empty_parts(&mut self, most: usize) {
        self.policies().most_empty_parts = most;
    }

    pub(super) fn keep(&self) -> usize {
        let policies = self.policies.as_ref();
        policies.map_or(KEEP, |policies| policies.keep)
    }

    pub(super) fn set_keep(&mut self, keep: usize) {
        self.policies().keep = keep;
    }

    fn policies(&mut self) -> &mut Policies {
        let limit = self.limit();
        self.policies.get_or_insert_with(|| {
            Box::new(Policies {
                limit,
                stream_above: usize::MAX,
                most_empty_parts: MOST_EMPTY_PARTS,
                keep: KEEP,
            })
        })
    }
}

/// No limit is above this. No buffer could hold as much, and sums of lengths cannot overflow.
pub(super) const LONGEST: usize = isize::MAX as usize / 4;

/// How many parts without payload a frame may have by default.
const MOST_EMPTY_PARTS: usize = 1 << 17;

/// The capacity that an empty reader keeps by default.
const KEEP: usize = 16 * 1024;
