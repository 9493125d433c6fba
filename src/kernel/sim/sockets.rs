//! Opening, naming, listening, accepting, closing.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::config::CALL_COST;
use super::end::EndId;
use super::errno::*;
use super::faults::{At, Call};
use super::file::{FileId, Fresh, Listening, Name, Open};
use super::kernel::{Kernel, PathFile};
use super::random::Draw;

impl Kernel {
    pub(super) fn open(&mut self, what: Open) -> FileId {
        self.host().open += 1;
        self.files.open(self.here, what)
    }

    fn has_descriptors(&mut self) -> Result<(), i32> {
        let most = self.config.descriptors;
        let host = self.host();
        if host.open >= most && !host.has_no_loop() {
            host.is_exhausted = true;
            return Err(EMFILE);
        }
        Ok(())
    }

    pub(super) fn socket(&mut self, is_tcp: bool, is_v6: bool) -> Result<FileId, i32> {
        self.enter(Call::Socket, None)?;
        self.has_descriptors()?;
        Ok(self.open(Open::Fresh(Fresh {
            is_tcp,
            is_v6,
            bound: Name::Nothing,
            only_v6: false,
            shares: false,
        })))
    }

    /// A descriptor that is kept to be given up.
    pub(super) fn spare(&mut self) -> Result<FileId, i32> {
        self.host().lacks_spare = false;
        self.enter(Call::Open, None)?;
        self.has_descriptors()?;
        Ok(self.open(Open::Spare))
    }

    fn fresh(&mut self, file: u32) -> Result<&mut Fresh, i32> {
        match &mut self.file(file)?.what {
            Open::Fresh(fresh) => Ok(fresh),
            _ => Err(EINVAL),
        }
    }

    pub(super) fn bind(
        &mut self,
        file: u32,
        at: SocketAddr,
        only_v6: bool,
        shares: bool,
    ) -> Result<(), i32> {
        self.enter(Call::Bind, Some(file))?;
        let port = match at.port() {
            0 => self.free_port()?,
            port => port,
        };
        let at = SocketAddr::new(at.ip(), port);
        if self.host_of(at.ip()) != self.here {
            return Err(EADDRNOTAVAIL);
        }
        if self.is_taken(at, only_v6, shares) {
            return Err(EADDRINUSE);
        }
        let fresh = self.fresh(file)?;
        fresh.bound = Name::Ip(at);
        (fresh.only_v6, fresh.shares) = (only_v6, shares);
        self.note(|| format!("bind #{file} {at}"));
        Ok(())
    }

    /// Whether somebody on this host listens there.
    fn is_taken(&self, at: SocketAddr, only_v6: bool, shares: bool) -> bool {
        let takes_both =
            |at: SocketAddr, only: bool| at.is_ipv6() && at.ip().is_unspecified() && !only;
        let takes = |file: &u32| {
            let Some(file) = self.files.at(*file).filter(|file| file.host == self.here) else {
                return false;
            };
            let Open::Listening(listening) = &file.what else {
                return false;
            };
            let Name::Ip(other) = listening.at else {
                return false;
            };
            if shares && listening.shares {
                return false;
            }
            if at.is_ipv4() != other.is_ipv4() {
                return takes_both(at, only_v6) || takes_both(other, listening.only_v6);
            }
            let (at, other) = (at.ip(), other.ip());
            at == other || at.is_unspecified() || other.is_unspecified()
        };
        let listeners = self.listeners.get(&at.port());
        listeners.into_iter().flatten().any(takes)
    }

    pub(super) fn bind_path(&mut self, file: u32, path: &Path) -> Result<(), i32> {
        self.enter(Call::Bind, Some(file))?;
        if self.paths.contains_key(path) {
            return Err(EADDRINUSE);
        }
        let ordinal = self.file(file)?.ordinal;
        self.fresh(file)?.bound = Name::Path(path.to_owned());
        let listener = FileId {
            number: file,
            ordinal,
        };
        let inode = u64::from(ordinal) + 1;
        self.paths
            .insert(path.to_owned(), PathFile { inode, listener });
        self.note(|| format!("bind #{file} {}", path.display()));
        Ok(())
    }

    pub(super) fn listen(&mut self, file: u32, backlog: i32) -> Result<(), i32> {
        self.enter(Call::Listen, Some(file))?;
        let Fresh {
            bound: at,
            only_v6,
            shares,
            ..
        } = match &self.file(file)?.what {
            Open::Listening(_) => return Ok(()),
            _ => self.fresh(file)?.clone(),
        };
        let port = match &at {
            Name::Ip(at) if self.is_taken(*at, only_v6, shares) => return Err(EADDRINUSE),
            Name::Ip(at) => at.port(),
            Name::Path(_) => 0,
            Name::Nothing => return Err(EINVAL),
        };
        self.host().listeners += 1;
        let place = At::listener(self.here, self.host().listeners);
        self.note(|| format!("listen #{file} {at}"));
        self.file(file)?.what = Open::Listening(Box::new(Listening {
            place,
            at,
            only_v6,
            shares,
            backlog: backlog.max(0) as usize,
            queue: VecDeque::new(),
            coming: 0,
            unasked_since: 0,
        }));
        self.listeners.entry(port).or_default().push(file);
        Ok(())
    }

    /// The listener that a connection to `at` on this host comes to: one of exactly this address before
    /// one of all of its family, before one of both families. Those that share a port take turns.
    pub(super) fn listener_at(&self, at: SocketAddr, host: u16, place: At) -> Option<u32> {
        let fits = |file: u32| {
            let file = self.files.at(file).filter(|file| file.host == host)?;
            let Open::Listening(listening) = &file.what else {
                return None;
            };
            let Name::Ip(listens) = listening.at else {
                return None;
            };
            let is_any = listens.ip().is_unspecified();
            if listens.ip() == at.ip() {
                Some(3)
            } else if is_any && listens.is_ipv4() == at.is_ipv4() {
                Some(2)
            } else if is_any && listens.is_ipv6() && !listening.only_v6 {
                Some(1)
            } else {
                None
            }
        };
        let files = self.listeners.get(&at.port())?;
        let best = files.iter().filter_map(|file| fits(*file)).max()?;
        let fitting = || files.iter().filter(|file| fits(**file) == Some(best));
        let count = fitting().count() as u64;
        let which = self.random.at(Draw::SharedPort, place.0, 0) % count;
        fitting().nth(which as usize).copied()
    }

    pub(super) fn listener_of_path(&self, path: &Path) -> Result<u32, i32> {
        let listener = self.paths.get(path).ok_or(ENOENT)?.listener;
        match self.files.get(listener).map(|file| &file.what) {
            Some(Open::Listening(_)) => Ok(listener.number),
            _ => Err(ECONNREFUSED),
        }
    }

    pub(super) fn accept(&mut self, file: u32) -> Result<(FileId, Option<SocketAddr>), i32> {
        let entered = self.enter(Call::Accept, Some(file));
        let now = self.now;
        let Open::Listening(listening) = &mut self.file(file)?.what else {
            return Err(EINVAL);
        };
        listening.unasked_since = now;
        let next = listening.queue.front().copied();
        let outcome = entered.and_then(|()| {
            let end = next.ok_or(EAGAIN)?;
            self.has_descriptors()?;
            Ok(end)
        });
        let end = match outcome {
            Ok(end) => end,
            Err(number) => {
                let number = self.not_accepted(file, next, number);
                self.seal(Call::Accept, file, Err(number));
                return Err(number);
            }
        };
        self.leave_queue(file);
        self.host().is_exhausted = false;
        let id = self.open(Open::Stream(end));
        self.end(end).file = Some(id.number);
        self.seal(Call::Accept, file, Ok(id.number as usize));
        let peer = match self.ends[end as usize].remote {
            Name::Ip(address) => Some(address),
            _ => None,
        };
        if self.account.trace.is_some() {
            let label = self.file_label(id.number);
            self.note(|| format!("accept #{file} → {label}"));
        }
        Ok((id, peer))
    }

    /// What else an accept does that fails: some errors are about the connection, which is gone then,
    /// and there are none without one.
    fn not_accepted(&mut self, file: u32, next: Option<EndId>, number: i32) -> i32 {
        match (number, next) {
            (EMFILE | ENFILE, _) => self.host().is_exhausted = true,
            (ECONNABORTED | EPROTO | EPERM, Some(end)) => {
                self.leave_queue(file);
                self.refuse(end);
            }
            (ECONNABORTED | EPROTO | EPERM, None) => return EAGAIN,
            _ => {}
        }
        if number != EAGAIN {
            self.note(|| format!("accept #{file} → {}", name(number)));
        }
        number
    }

    fn leave_queue(&mut self, file: u32) {
        if let Some(file) = self.files.at_mut(file)
            && let Open::Listening(listening) = &mut file.what
        {
            listening.queue.pop_front();
        }
    }

    /// `getsockname(2)`.
    pub(super) fn local_name(&mut self, file: u32) -> Result<Name, i32> {
        self.enter(Call::Name, Some(file))?;
        Ok(match &self.files.at(file).ok_or(EBADF)?.what {
            Open::Fresh(fresh) => match (&fresh.bound, fresh.is_v6) {
                (Name::Nothing, _) if !fresh.is_tcp => Name::Nothing,
                (Name::Nothing, true) => Name::Ip((Ipv6Addr::UNSPECIFIED, 0).into()),
                (Name::Nothing, false) => Name::Ip((Ipv4Addr::UNSPECIFIED, 0).into()),
                (bound, _) => bound.clone(),
            },
            Open::Listening(listening) => listening.at.clone(),
            Open::Stream(end) => self.ends[*end as usize].local.clone(),
            Open::Spare => Name::Nothing,
        })
    }

    /// A connection is handed over to the loop of the host whose turn it is, and keeps its addresses.
    pub(super) fn move_here(&mut self, number: u32) -> Result<(), i32> {
        let here = self.here;
        let label = match self.account.trace.is_some() {
            true => self.file_label(number),
            false => String::new(),
        };
        let file = self.file(number)?;
        let before = std::mem::replace(&mut file.host, here);
        self.hosts[usize::from(before)].open -= 1;
        self.host().open += 1;
        self.note(|| format!("adopt {label}"));
        Ok(())
    }

    pub(super) fn is_tcp(&self, file: u32) -> bool {
        let file = self.files.at(file);
        file.is_some_and(|file| file.what.is_tcp(&self.ends))
    }

    pub(super) fn close(&mut self, file: u32) {
        let label = match self.account.trace.is_some() {
            true => self.file_label(file),
            false => String::new(),
        };
        let Some(open) = self.files.close(file) else {
            return;
        };
        let host = &mut self.hosts[usize::from(open.host)];
        host.open -= 1;
        let gives_up = matches!(open.what, Open::Spare) && !host.is_ending;
        host.lacks_spare |= gives_up;
        let gives_up_for_nothing = gives_up && !host.is_exhausted;
        self.now = self.now.saturating_add(CALL_COST);
        self.stir_digest(u64::from(file) << 32 ^ u64::from(open.ordinal) ^ self.now);
        self.note(|| format!("close {label}"));
        if gives_up_for_nothing {
            self.problem("the spare descriptor is given up though none was refused");
        }
        match open.what {
            Open::Stream(end) => self.close_end(end),
            Open::Listening(listening) => self.close_listener(file, *listening),
            Open::Fresh(_) | Open::Spare => {}
        }
    }

    fn close_listener(&mut self, file: u32, listening: Listening) {
        let port = match &listening.at {
            Name::Ip(at) => at.port(),
            _ => 0,
        };
        if let Some(files) = self.listeners.get_mut(&port) {
            files.retain(|other| *other != file);
            if files.is_empty() {
                self.listeners.remove(&port);
            }
        }
        for end in listening.queue {
            self.refuse(end);
        }
    }

    /// All that a host has open is gone, and its peers get a reset.
    pub(super) fn kill(&mut self, host: u16) {
        let files = self.files.iter();
        let theirs: Vec<u32> = files
            .filter(|(_, file)| file.host == host)
            .map(|(number, _)| number)
            .collect();
        for number in theirs {
            if let Some(Open::Stream(end)) = self.files.at(number).map(|file| &file.what) {
                let end = *end;
                self.end(end).resets = true;
            }
            self.close(number);
        }
        self.paths
            .retain(|_, file| self.files.get(file.listener).is_some());
    }

    /// What is open, but for spare descriptors: the host, and what it is.
    pub(super) fn open_files(&self) -> Vec<(u16, String)> {
        let files = self.files.iter();
        let mut open = Vec::new();
        for (number, file) in files {
            let what = match &file.what {
                Open::Spare => continue,
                Open::Fresh(fresh) => format!("a socket at {} (#{number})", fresh.bound),
                Open::Listening(listening) => format!("a listener at {} (#{number})", listening.at),
                Open::Stream(end) => {
                    let end = &self.ends[*end as usize];
                    format!(
                        "{}, {} ⇄ {}",
                        self.file_label(number),
                        end.local,
                        end.remote
                    )
                }
            };
            open.push((file.host, what));
        }
        open
    }
}
