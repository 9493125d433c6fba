//! What most sockets never have beside their stream: what users attach, a remote address with a scope, and
//! [`Extras`]. In a word of each socket.

use std::cell::{Cell, OnceCell};
use std::net::SocketAddrV6;

use crate::net::state::attachments::Attachments;
use crate::net::state::extras::Extras;

/// It is made when one of these is first needed, and stays for as long as the socket does.
#[derive(Default)]
pub(in crate::net) struct Aside(OnceCell<Box<AsideFields>>);

#[derive(Default)]
pub(in crate::net) struct AsideFields {
    pub(in crate::net) attachments: Attachments,
    /// A remote address that a word does not hold.
    pub(in crate::net) remote: Cell<Option<SocketAddrV6>>,
    /// Out of its cell while it is looked at, where no code of the user's runs.
    pub(in crate::net) extras: Cell<Option<Box<Extras>>>,
}

impl Aside {
    /// What there is, if there is anything.
    #[inline(always)]
    pub(in crate::net) fn get(&self) -> Option<&AsideFields> {
        self.0.get().map(|fields| &**fields)
    }

    pub(in crate::net) fn get_or_new(&self) -> &AsideFields {
        self.0.get_or_init(Box::default)
    }
}
