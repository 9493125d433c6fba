//! What can be written: bytes that are copied, moved, static or shared.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes to write, made by `into()` from whatever holds them.
///
/// | from | what becomes of the bytes |
/// |---|---|
/// | `&str`, `&[u8]`, `&[u8; N]`, `&String`, `&Vec<u8>`, a borrowed `Cow` | copied below 16 KiB; above it, only what the kernel does not take at once |
/// | `String`, `Vec<u8>`, `Box<[u8]>` | moved; only small ones are copied |
/// | `Rc<[u8]>`, `Arc<[u8]>`, `Rc<str>`, `Arc<str>` | shared: any number of sockets hold one copy |
/// | [`Data::from_static`] | referred to |
///
/// ```
/// use soquete::net::Data;
/// use std::rc::Rc;
///
/// let news: Rc<[u8]> = Rc::from(*b"one copy for everybody");
/// assert_eq!(Data::from(&news).len(), 22);
/// ```
#[doc(alias = "broadcast")]
#[derive(Clone)]
pub struct Data<'a>(pub(crate) Repr<'a>);

#[derive(Clone)]
pub(crate) enum Repr<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Static(&'static [u8]),
    Rc(Rc<[u8]>),
    Arc(Arc<[u8]>),
}

impl Data<'_> {
    /// Bytes that live as long as the program and need no copy.
    pub const fn from_static(bytes: &'static [u8]) -> Data<'static> {
        Data(Repr::Static(bytes))
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_borrowed(&self) -> bool {
        matches!(self.0, Repr::Borrowed(_))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Borrowed(bytes) | Repr::Static(bytes) => bytes,
            Repr::Owned(bytes) => bytes,
            Repr::Rc(bytes) => bytes,
            Repr::Arc(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").field("len", &self.len()).finish()
    }
}

macro_rules! data_from {
    ($($from:ty: |$value:ident| $repr:expr;)*) => {
        $(impl<'a> From<$from> for Data<'a> {
            fn from($value: $from) -> Data<'a> {
                Data($repr)
            }
        })*
    };
}

data_from! {
    &'a [u8]: |bytes| Repr::Borrowed(bytes);
    &'a str: |text| Repr::Borrowed(text.as_bytes());
    &'a String: |text| Repr::Borrowed(text.as_bytes());
    &'a Vec<u8>: |bytes| Repr::Borrowed(bytes);
    Vec<u8>: |bytes| Repr::Owned(bytes);
    String: |text| Repr::Owned(text.into_bytes());
    Box<[u8]>: |bytes| Repr::Owned(bytes.into_vec());
    Rc<[u8]>: |bytes| Repr::Rc(bytes);
    Rc<str>: |text| Repr::Rc(text.into());
    &Rc<[u8]>: |bytes| Repr::Rc(Rc::clone(bytes));
    Arc<[u8]>: |bytes| Repr::Arc(bytes);
    Arc<str>: |text| Repr::Arc(text.into());
    &Arc<[u8]>: |bytes| Repr::Arc(Arc::clone(bytes));
}

impl<'a, const N: usize> From<&'a [u8; N]> for Data<'a> {
    fn from(bytes: &'a [u8; N]) -> Data<'a> {
        Data(Repr::Borrowed(bytes))
    }
}

impl<'a> From<Cow<'a, str>> for Data<'a> {
    fn from(text: Cow<'a, str>) -> Data<'a> {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl<'a> From<Cow<'a, [u8]>> for Data<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Data<'a> {
        match bytes {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}
