//! The arguments of a request, in any order. Where a request ends is for `framing::RespRequests` to say.

use std::ops::Range;

use soquete::framing::RespRequest;

/// The longest request; the limit for the reader.
pub const LONGEST_REQUEST: usize = 1024 * 1024 * 1024;

/// Where a request's arguments are. The value is reused, as its memory is.
#[derive(Default)]
pub struct Request {
    spans: Vec<Range<usize>>,
}

/// The arguments of one request, the command's name first.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    bytes: &'a [u8],
    spans: &'a [Range<usize>],
}

impl Request {
    /// Reads a frame.
    pub fn parse<'a>(&'a mut self, frame: &'a [u8]) -> Arguments<'a> {
        self.spans.clear();
        if let Some(request) = RespRequest::parse(frame) {
            self.spans.extend(request.arguments().ranges());
        }
        Arguments {
            bytes: frame,
            spans: &self.spans,
        }
    }

    /// Gives back the memory of an uncommonly long request.
    pub fn shrink(&mut self) {
        self.spans.shrink_to(1024);
    }
}

impl<'a> Arguments<'a> {
    pub fn len(self) -> usize {
        self.spans.len()
    }

    /// The argument at `index`; empty if there is none.
    pub fn at(self, index: usize) -> &'a [u8] {
        let span = self.spans.get(index).cloned().unwrap_or_default();
        self.bytes.get(span).unwrap_or_default()
    }

    /// The arguments from `index` on.
    pub fn from(self, index: usize) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let spans = self.spans.get(index..).unwrap_or_default();
        spans
            .iter()
            .map(move |span| self.bytes.get(span.clone()).unwrap_or_default())
    }
}
