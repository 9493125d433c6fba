//! A WebSocket that sends every message back, on the crate's formats.

use soquete::framing::http::{Http, RequestHead};
use soquete::framing::websocket::{self, Outgoing, Upgrade};
use soquete::framing::{Either, FrameReader, FrameWriter, Item, Reading, WebSocket};
use soquete::net::Socket;

use super::LONGEST_FRAME;

const LONGEST_HEAD: usize = 8 * 1024;

type Format = Either<Http, WebSocket>;

pub fn echo(socket: Socket) {
    let Ok(writer) = FrameWriter::new(Outgoing::binary(), LONGEST_FRAME) else {
        return;
    };
    let reader = FrameReader::new(Format::A(Http::requests()), LONGEST_HEAD);
    socket.frame_items_with(reader, move |item, reading| {
        let Item::Frame(frame) = item else {
            return Ok(());
        };
        match reading.format() {
            Either::A(_) => upgrade(socket, frame, reading),
            Either::B(_) if reading.kind() == websocket::BINARY => {
                socket.write_frame(&writer, frame).map(drop)
            }
            Either::B(_) => {
                socket.end();
                Ok(())
            }
        }
    });
}

fn upgrade(socket: Socket, head: &[u8], mut reading: Reading<'_, Format>) -> soquete::Result<()> {
    let Some(head) = RequestHead::parse(head) else {
        socket.end();
        return Ok(());
    };
    let fields = head.fields();
    let fields = fields.map(|field| (field.name().as_bytes(), field.value()));
    match Upgrade::check(head.method(), (1, head.minor_version()), fields) {
        Ok(upgrade) => {
            socket.write(upgrade.answer(None));
            reading.switch(Format::B(WebSocket::server()), LONGEST_FRAME)?;
        }
        Err(refusal) => {
            socket.end_with(refusal.answer());
        }
    }
    Ok(())
}
