//! Where the crate differs from Node, and why: every difference that is known, a row each.
//!
//! Node 26 is the reference. Its own tests for `net` and thousands of random programs run on both sides, and what they
//! show is either mended or a row here.
//!
//! # Writing
//!
//! Small writes of one callback go out together, by one system call, when the callback returns. Node makes a system call
//! for each. `writable_length`, `end` and `destroy` send first what waits, so that the difference shows in few places:
//!
//! | Node | here | why |
//! |---|---|---|
//! | a `write` fails at once where the peer has gone: it returns false and pauses a pipe | it returns true; `errored` and `writable` tell the error | the call has not been made |
//! | of two writes in one callback, the second may fail alone | both count as sent, and `Finish` may come | they are one call |
//! | the error code is that of each call | that of the one call, when the callback has returned | likewise |
//! | `write` returns false from any high-water mark on | of a mark below 64 KiB, small writes return true until 64 KiB wait | likewise |
//! | what a callback has written is sent, even if it blocks or ends the process then | it is sent when the callback returns | likewise |
//! | a `write` of nothing is a system call, which can fail, be corked, and hold up the end | it is none; the next byte fails | there is nothing to send |
//! | up to 32 system calls send for a socket at one event | up to 512 KiB, then it is the turn of the others | one flood holds up nobody |
//! | a write that finds no memory (`ENOMEM`) destroys the socket | it is made again after 20 ms, as after `ENOBUFS` | it passes |
//! | `bytesWritten` of a destroyed socket counts a write in full that was cut off | counts what the kernel took | it can be relied on |
//! | `bytesWritten` does not count a write on a socket that does not even connect | it does until the error | it is queued |
//! | `writableLength` in the callback of a cancelled write counts those behind it | those of the same system call are gone with it | they go together |
//!
//! # Reading
//!
//! | Node | here | why |
//! |---|---|---|
//! | a chunk has at most 64 KiB | the same, or up to 512 KiB where every pipe of the socket can take more | a pipe is a fifth to a third faster |
//! | libuv reads up to 2 MiB of one socket in a turn | 512 KiB; only 128 KiB during the 16 turns after a read shorter than 4 KiB, unless the read before it of that socket was 4 KiB or more | the others wait less, and those that ask for little wait for a few hundred KiB at most, however many flood |
//! | a listener of `'readable'` that was prepended hears of chunks that are thrown away | nobody does | a listener is one, wherever it stands |
//! | a socket resumed in a listener of `'pause'` says `isPaused()`, though it flows | false | a bug |
//! | `removeAllListeners()`, or that of `'data'` and then `'readable'`, resumes a paused socket | it does not; what comes is kept | a bug |
//! | a socket that is not read keeps all chunks apart | 64 of them; behind those a small one joins the one before it | sent byte by byte they would take fifty times as much |
//! | text has any encoding, and `readableLength` counts UTF-16 units of it | UTF-8, and bytes | the types |
//! | ill-formed UTF-8 in pieces: U+FFFD comes when as many bytes are there as the first announced, and maybe more than one | one, as soon as it is certain | the text does not depend on the cuts |
//! | `'data'` carries text once there is an encoding | `Text` does; `Data` follows with the bytes of that text, U+FFFD included | an event has one type |
//! | `onread` is for sockets that connect | accepted sockets can have it, and share the buffer | one buffer for a whole server |
//!
//! # Connecting
//!
//! | Node | here | why |
//! |---|---|---|
//! | text that is no number is a path | the same, unless it is `host:port` without a slash; white space around that is ignored, as around a number | `"localhost:3000\n"` is no file |
//! | `connect` on an open connection tries again, and may emit `'connect'` twice | destroys the socket with `EISCONN` | two connects of one socket are a mistake |
//! | `connect` right after `destroy`, or after a write that failed for want of a connection, begins before the old `'close'` | after it | one life after the other |
//! | `connect` in `'close'`: a write that waited in the last life fails the new one, and a need for `'drain'` stays | a new life keeps nothing but its count of corks | a bug |
//! | `end` before the socket connects, or during an attempt that fails with others to follow, is forgotten | it ends once it is connected | a bug |
//! | `destroy` in a `'connectionAttempt'` listener throws a `TypeError` | nothing follows but `Close` | a bug |
//! | in `'connectionAttemptFailed'` of the only address, `connecting` is false and `readyState` may be `'open'` | the socket still connects | it is not open |
//! | in `'connectionAttemptFailed'`, `localAddress` is that of the failed attempt | `None` | the attempt is over |
//! | `localAddress`, asked for before the attempt begins, stays `undefined` until the connection is up | what the system says each time | a bug |
//! | without selection of the family, `'lookup'` comes even after `'close'` | nothing does | once closed, always closed |
//! | a signal that was aborted before lets `net.connect` connect all the same | the socket does not connect | a bug |
//! | Node's own listener hears every error of a socket with a signal | only `ABORT_ERR` counts as heard | no other error is to be lost |
//! | the reason of `AbortSignal.timeout` is a `DOMException` | an [`Error`](crate::Error) with the code `ABORT_TIMEOUT` | there is no DOM |
//! | `autoSelectFamilyAttemptTimeout` of 0, or above 2³¹−1 ms, throws | 0 is the least, 10 ms, as 1 to 9 are in Node; any longer one is taken | nothing to throw for |
//! | a link-local address without a zone is tried on the first interface that has one | `EINVAL` | a guess |
//! | `new net.Socket({ fd })` takes a FIFO | `ERR_INVALID_FD_TYPE`, as for files and terminals | it is one half of no connection |
//!
//! # Looking names up
//!
//! | Node | here | why |
//! |---|---|---|
//! | each look-up asks the resolver | those of one name at a time ask once | they get the same answer |
//! | a name is turned into Punycode first | it goes to the resolver as it is | the resolver's business |
//! | an empty list from a lookup throws inside the callback | `ENOTFOUND` | a bug |
//! | a lookup can answer with what is no address (`ERR_INVALID_IP_ADDRESS`, `ERR_INVALID_ADDRESS_FAMILY`) | it answers with `IpAddr`s | the types |
//! | a lookup can answer with a zone (`fe80::1%eth0`) | it cannot; an address that is connected to or listened on can have one | `IpAddr` has none |
//!
//! # Ending and closing
//!
//! | Node | here | why |
//! |---|---|---|
//! | `closed` turns true in `destroy`, as `destroyed` does | at `'close'`, as Node's documentation has it | there are two words |
//! | a socket can be asked things after `'close'` for ever | its state goes after `Close`: then `bytes_read` and the like are 0 | handles are `Copy`, and nothing collects garbage |
//! | `timeout` of a destroyed socket is what was set | `None` | likewise |
//! | what has closed can connect or listen again at any time | in its `Close` listener; later the handle is stale, and a warning is logged: make a new one | likewise |
//! | a socket that never connects, a server that never listens, is collected | it stays until it closes | likewise |
//! | `'close'` of a socket without a descriptor carries `undefined` | whether there was an error | there is no `undefined` |
//! | `resetAndDestroy` right after `end` emits a synchronous error and never closes | resets and closes | a bug |
//! | `end(callback)` on a socket that was destroyed without an error never calls back | `ERR_STREAM_DESTROYED` | a bug |
//! | a socket that is written to in `'prefinish'` emits `'finish'` after `'close'` | nothing after `Close` | once closed, always closed |
//! | the end goes out by shutdown(2), then the descriptor is closed | by close(2) alone where it follows at once, no listener comes between, and the user has not had the descriptor | one system call less; only a process that was forked meanwhile and runs no other program could hold the end back |
//! | `remoteAddress` is `undefined` once the connection is shut down both ways or reset, unless asked for before | known until `Close` | accept and connect have told it |
//!
//! # Pipes and streams
//!
//! | Node | here | why |
//! |---|---|---|
//! | a source that is destroyed stays piped: its destination keeps the listeners, and gets `'unpipe'` when it closes | the destination forgets it, and is told nothing | a destination that outlives its sources does not fill up |
//! | `finished` takes a side for done before its `'finish'` or `'end'`: told to end with nothing queued, or its peer has ended with nothing kept | it waits for the event, and so does `pipeline` | it has not finished |
//! | `finished` of such a side that is destroyed before the event has no error | `ERR_STREAM_PREMATURE_CLOSE` | likewise |
//! | `pipeline` whose source is destroyed when its peer has ended and data is kept never calls back | `ERR_STREAM_PREMATURE_CLOSE` | a bug |
//!
//! # Servers
//!
//! | Node | here | why |
//! |---|---|---|
//! | takes one connection per turn | up to 64 | the order within a connection is the same |
//! | each `close` of a server that has closed, or is about to, emits `'close'` | once, until it listens again; the callbacks are called all the same | once is what a listener counts on |
//! | a failed `accept` is an `'error'` | is logged and tried again after 100 ms; `Error` only where the descriptor does not listen any more | it would end [`run`](crate::run) for what passes |
//! | a peer that resets before it is accepted passes a block list | the list is asked for the address that came with the connection, and refuses one without | a list that can be passed is none |
//! | `remoteAddress` of a peer that has reset is `undefined`, and in `'drop'`, too | known | accept has told it |
//! | the file of an IPC server is removed when it closes, whoever has made it | only if it is the one that this server has made | it would be somebody else's |
//! | `address()` of a server on an adopted IPC descriptor is null | its path | it has one |
//! | `address()` of an IPC server that has closed is its path | `None` | it does not listen |
//! | `address()` of an IPC socket is `{}` | `None` | as of one that is not connected |
//!
//! # Order
//!
//! | Node | here | why |
//! |---|---|---|
//! | what several sockets have to do in one turn has libuv's order | the order in which the poll names them; what they have written, and how they have ended, goes out as each callback returns | the order within a connection is the same |
//! | an emit that comes back into a listener that is running enters it again | an event of a socket waits until the listener has returned; an `emit` of yours skips the running listener | a `FnMut` cannot be entered twice |
//!
//! # Errors and exceptions
//!
//! | Node | here | why |
//! |---|---|---|
//! | `emit('error')` without a listener throws | returns false; an error of the crate's own that nobody hears ends [`run`](crate::run) | an emitter knows no special event |
//! | a rejected `async` listener is an uncaught exception, or with `captureRejections` destroys its emitter | an `Err` of a listener destroys its socket, or is the server's `Error` event | one peer's nonsense does not stop a server |
//! | a listener that throws ends its list, and what was to follow: `'ready'` after `'connect'`, the reading, the callbacks of later writes, `'finish'` after that of `end` | its panic ends the list and the run; what was to follow comes in the next run, in its order | nothing is lost |
//! | of several exceptions each is told on its own | each run ends with one | likewise |
//! | ticks that are queued behind an exception wait for the next immediates | they come in the next run, in their order | one fault does not make others |
//! | misuse throws (`listen` twice, a bad `localAddress`) | an `Error` event on the next tick, or an error for the callback; an `Err` where there is a `Result` | calls chain, and nothing panics |
//! | whoever destroys the socket after that throw has seen the error | a socket that is destroyed before that tick has no `Error` any more | whoever destroys it has finished with it |
//! | the message of an `AggregateError` is empty | those of its errors | it says something |
//! | the message about options that do not go together ends in the object of options | it ends before that | there is no such object |
//! | `err.errno` is negative, libuv's | positive, as in C | as `io::Error` has it |
//! | `port` of a failed `listen` on a path is −1 | `None` | there is no port |
//!
//! # Addresses and block lists
//!
//! | Node | here | why |
//! |---|---|---|
//! | `addAddress('::1')` and `new SocketAddress({address: '::1'})` mean IPv4 unless told otherwise, and fail | an unstated family is read off the text | no surprise; of a stated one the answers are Node's |
//! | `SocketAddress.parse` takes digits of other scripts, as hosts of URLs are mapped | they are no address | only ASCII is meant |
//! | `SocketAddress.parse('1.2.3.4:80')` loses the port | it stays 80 | a bug |
//! | `addCIDRs` and `fromJSON` keep what came before a mistake | all or nothing | a bug |
//! | `rules` has addresses in the order of a hash table | the newest first | the same each time |
//! | a zone after an IPv6 address of 40 characters or more makes another address of it | it is cut off correctly | a bug |
//! | a flow label of more than 20 bits aborts the process | an error | a bug |
//!
//! # Timers and threads
//!
//! | Node | here | why |
//! |---|---|---|
//! | any timer can be refreshed after it has fired | one of [`set_refreshable`](crate::timers::set_refreshable); one of `set_timeout` is gone | its callback is a `FnOnce` |
//! | `setTimeout` truncates to whole ms | rounds up (below a microsecond is ignored) | never early |
//! | more than 2³¹−1 ms is 1 ms | any `Duration` for a timer, at most 2³¹−1 ms for a socket | no surprise |
//! | `monitorEventLoopDelay` has the resolution in its figures, in ns | the delay alone, a [`Duration`](std::time::Duration) | it is what is asked |
//! | threads of the pool are the process's, `UV_THREADPOOL_SIZE` of them | each loop's, as many as [`set_pool_size`](crate::set_pool_size) says | loops share nothing |
//!
//! # Not there
//!
//! | Node | why |
//! |---|---|
//! | `exclusive`, `dropMaxConnection` | of clusters |
//! | `'newListener'` and `'removeListener'` of sockets and servers, `listenerCount(event, fn)` | hooks are an [`EventEmitter`](crate::events::EventEmitter)'s own |
//! | `readableDidRead`, `readableAborted`, `bufferSize`, marks for reading and writing apart | of streams that are no sockets, or deprecated |
//! | async iteration and all that returns promises | callbacks are the way |
//! | options of `finished` and `pipeline` such as `signal`; streams that are no sockets | other streams are Node's |
//! | `diagnostics_channel` | [logging](crate#logging) |
