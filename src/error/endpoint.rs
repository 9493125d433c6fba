//! What an error tells of the ends of a connection.

/// The end of a connection that an error is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    /// An IP address, or a path; empty where there is neither.
    pub(crate) address: String,
    /// `None` for a path.
    pub(crate) port: Option<u16>,
    pub(crate) local: Local,
}

/// The other end, as far as Node tells of it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Local {
    #[default]
    Untold,
    /// The address and port that were asked for.
    Asked(String, u16),
    /// What the descriptor said; `None` if it had no such address.
    Found(Option<std::net::SocketAddr>),
}

impl Endpoint {
    /// An address and a port, with nothing to tell of the other end.
    pub(crate) fn at(address: impl Into<String>, port: Option<u16>) -> Endpoint {
        Endpoint {
            address: address.into(),
            port,
            local: Local::Untold,
        }
    }

    pub(super) fn text(&self) -> String {
        match self.known_port() {
            Some(port) => format!("{}:{port}", self.address),
            None => self.address.clone(),
        }
    }

    /// Node does not name a port that was to be any.
    pub(super) fn known_port(&self) -> Option<u16> {
        self.port.filter(|port| *port > 0)
    }
}

impl Local {
    pub(super) fn text(&self) -> String {
        match self {
            Local::Untold => String::new(),
            Local::Asked(address, port) => format!(" - Local ({address}:{port})"),
            Local::Found(Some(found)) => format!(" - Local ({}:{})", found.ip(), found.port()),
            Local::Found(None) => " - Local (undefined:undefined)".to_owned(),
        }
    }
}
