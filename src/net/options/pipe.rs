//! Options of a pipe.

/// How a pipe behaves. Node's `readable.pipe(dest, options)`.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct PipeOptions {
    end: bool,
}

impl PipeOptions {
    /// The defaults.
    pub fn new() -> PipeOptions {
        PipeOptions { end: true }
    }

    /// Whether the destination is ended when the source has ended. On by default; otherwise it is
    /// only unpiped then.
    pub fn end(mut self, end: bool) -> PipeOptions {
        self.end = end;
        self
    }
}

impl PipeOptions {
    pub(crate) fn ends(&self) -> bool {
        self.end
    }
}

impl Default for PipeOptions {
    fn default() -> PipeOptions {
        PipeOptions::new()
    }
}
