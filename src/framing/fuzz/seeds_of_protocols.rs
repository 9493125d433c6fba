//! The seeds of the formats of whole protocols.

use super::seeds::{Seed, streams};

/// The seeds of `target`, by name.
pub(super) fn of(target: &str) -> Vec<Seed> {
    match target {
        "framing_resp" => streams(
            &[28, 30, 5],
            &[
                (
                    "version_2",
                    b"+OK\r\n-ERR a\r\n:-12\r\n$3\r\nabc\r\n$-1\r\n*-1\r\n*2\r\n$0\r\n\r\n*1\r\n:1\r\n",
                ),
                (
                    "version_3",
                    b"_\r\n#t\r\n,1.5e-3\r\n,-inf\r\n(-123456789\r\n!5\r\nERR x\r\n=6\r\ntxt:ab\r\n",
                ),
                (
                    "aggregates",
                    b"%1\r\n+a\r\n~1\r\n:1\r\n>2\r\n+m\r\n+x\r\n|1\r\n+t\r\n:6\r\n*1\r\n|0\r\n:1\r\n",
                ),
                (
                    "streamed",
                    b"$?\r\n;3\r\nabc\r\n;1\r\nd\r\n;0\r\n*?\r\n:1\r\n~?\r\n.\r\n%?\r\n+a\r\n+b\r\n.\r\n.\r\n",
                ),
                ("odd_map", b"%?\r\n+a\r\n.\r\n"),
                ("attributes_of_nothing", b"*?\r\n|1\r\n+a\r\n+b\r\n.\r\n"),
                ("deep", b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
                ("bare", b"+ab\r\n+a\nb"),
                ("long", b"$12\r\n0123456789ab\r\n+0123456789\r\n(0123456789\r\n"),
                ("no_format", b"=5\r\ntext:\r\n"),
                ("push_inside", b"*1\r\n>1\r\n:1\r\n"),
            ],
        ),
        "framing_resp_requests" => streams(
            &[7, 8, 16],
            &[
                (
                    "arrays",
                    b"*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*0\r\n*-1\r\n",
                ),
                (
                    "typed",
                    b"PING\r\nset a \"b \\x41\\n\\\"\" 'c\\'' \n\r\n \t\necho a\"b\"\n",
                ),
                ("unbalanced", b"a 'b\r\nb \"c\"d\nPING\n"),
                ("no_bulk", b"*2\r\n$1\r\na\r\nxyz\r\n"),
                ("no_number", b"*1\r\n$x\r\n"),
                ("no_end", b"*1\r\n$1\r\nabc*1\r\n$1\r\nd\r\n"),
                ("long_line", b"0123456789abcdef\r\nPING\r\n"),
                ("long_head", b"*1\r\n$0000000000000001\r\n"),
                ("any_end", b"*1\rx$1\ryz\r\n"),
            ],
        ),
        "framing_mqtt" => streams(
            &[1, 0x32],
            &[
                (
                    "session",
                    b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\x20\x02\x00\x00\xc0\x00\xd0\x00\xe0\x00",
                ),
                (
                    "messages",
                    b"\x82\x08\x00\x01\x00\x03a/b\x01\x90\x03\x00\x01\x00\x30\x06\x00\x03a/bx\x3a\x05\x00\x01a\x00\x07\x62\x02\x00\x07",
                ),
                (
                    "two_bytes",
                    &[&b"\x30\x80\x01"[..], &[0; 128], b"\xc0\x00"].concat(),
                ),
                ("overlong", b"\x30\x82\x00ab"),
                ("five_bytes", b"\x30\x80\x80\x80\x80\x01"),
                ("quality_3", b"\x36\x04abcd"),
                ("twice", b"\x38\x04abcd"),
                ("flags", b"\x60\x02ab"),
                ("reserved", b"\x00\x00"),
                ("auth", b"\xf0\x00"),
                ("longest", b"\x30\xff\xff\xff\x7fabc"),
            ],
        ),
        "framing_content_length" => streams(
            &[0, 1],
            &[
                (
                    "good",
                    b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: a; charset=utf8\r\n\r\n\xc3\xa9x",
                ),
                ("no_text", b"Content-Length: 2\r\n\r\n\xc3xContent-Length: 0\r\n\r\n"),
                ("other", b"X-A: b\r\nContent-Length: 1\r\n\r\na"),
                ("no_name", b": 1\r\n\r\n"),
                ("no_colon", b"Content-Length\r\n\r\n"),
                ("no_word", b"Content/Length: 1\r\n\r\n"),
                ("typed_twice", b"Content-Type: a\r\nContent-Type: a\r\n\r\n"),
                ("no_number", b"Content-Length: 1x\r\n\r\n"),
                ("too_much", b"Content-Length: 99999999999999999999999\r\n\r\n"),
                ("much_too_much", b"Content-Length: 18446744073709551616\r\n\r\n"),
                ("bare_return", b"Content-Length: 1\rx\n\r\n"),
                ("twice", b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
                ("folded", b"Content-Length:\r\n 1\r\n\r\na"),
                ("space", b"Content-Length : 1\r\n\r\na"),
                ("bare", b"Content-Length: 1\n\na"),
                ("none", b"\r\n"),
                ("set", b"Content-Type: a;b;charset=\"utf-16\"\r\n"),
                ("long", b"Content-Length: 40\r\n\r\n0123456789012345678901234567890123456789"),
                ("huge", b"Content-Length: 18446744073709551616\r\n\r\n"),
                (
                    "long_head",
                    &[&b"Content-Type: "[..], &[b'x'; 1030]].concat(),
                ),
            ],
        ),
        "framing_dot_stuffed" => streams(
            &[0, 1],
            &[
                ("good", b".\r\na\r\n..b\r\n.\r\n..\r\n.\r\n"),
                ("long", b"..........\r\n..........\r\n..........\r\n.\r\nz\r\n.\r\n"),
                ("bare", b"a\nb\r\n\r\n.\n.\r.\r\n.\r\n"),
                ("smuggled", b"a\n.\r\nMAIL\r\n.\r\n"),
                ("bare_return", b"a\r\n.\rb\r\n.\r\n"),
                ("open", b"a\r\n.\r"),
            ],
        ),
        "framing_slip" => streams(
            &[0],
            &[
                (
                    "good",
                    b"\xc0ab\xdb\xdcc\xc0\xc0\xdb\xdd\xdb\xdd\xc0abcdefghijklm\xc0",
                ),
                ("bad", b"ab\xdbcd\xc0a\xdb\xc0abcdef\xdb\xdb\xdc\xc0a"),
                (
                    "long",
                    b"abcdefghijk\xdb\xdc\xdb\xdc\xdb\xdc\xdb\xdc\xc0z\xc0",
                ),
            ],
        ),
        "framing_hdlc" => streams(
            &[0, 1, 2, 3],
            &[
                ("good", b"~1\x7d\x5e\xc4\x3a~~123456789\x6e\x90~\0\0~"),
                ("given_up", b"~abc\x7d~abc~a~"),
                ("control", b"~\x11a\x7d\x31\x13b\x7d\x11\x33\0~"),
                ("long", b"~\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e\x7d\x5e~"),
                ("open", b"~abc\x7d"),
            ],
        ),
        "framing_heads" => heads(),
        "framing_writers" => writers(),
        _ => vec![],
    }
}

/// What is done with them is said by the first byte.
fn heads() -> Vec<Seed> {
    let seeds: [(&str, u8, &[u8]); 61] = [
        (
            "view_request",
            0,
            b"GET http://a.example/b?c HTTP/1.1\r\nHost: a\r\nConnection: a, close\r\nExpect: 100-continue\r\nhost: b\r\n",
        ),
        (
            "view_two_question_marks",
            0,
            b"GET /a?b?c HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n",
        ),
        ("view_options", 0, b"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n"),
        ("view_response", 0, b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nHost: x\r\n"),
        ("view_old_response", 0, b"HTTP/1.0 200 \r\n\xff: \xff\r\n"),
        ("view_fields", 0, b"a: b\r\na:c\r\nb"),
        ("view_no_end", 0, b"GET / HTTP/1.1"),
        ("view_no_method", 0, b"GET HTTP/1.1\r\n"),
        ("view_no_text", 0, b"\xff / HTTP/1.1\r\n"),
        ("view_no_text_in_target", 0, b"GET \xff HTTP/1.1\r\n"),
        ("view_no_path", 0, b"GET http://a?x HTTP/1.1\r\n"),
        ("view_authority", 0, b"CONNECT a:1 HTTP/1.1\r\n"),
        ("view_half_a_status", 0, b"HTTP/1.1 20\r\n"),
        ("view_no_status", 0, b"HTTP/1.1 xxx \r\n"),
        ("view_no_text_in_status", 0, b"HTTP/1.1 \xff\xff\xff \r\n"),
        ("view_no_reason", 0, b"HTTP/1.1 200\r\n"),
        ("view_both", 0, b"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n"),
        ("request_of_a_long_method", 1, b"MMMMMMMMMMMMMMMMMMMMMMMMMMMMMM /\0Host\0a"),
        ("request_of_no_method", 1, b" /\0Host\0a"),
        ("request_with_a_bad_host", 1, b"GET /\0Host\0/"),
        ("request_with_a_bad_length", 1, b"GET /\0Content-Length\0x\0Host\0a"),
        ("request_with_two_lengths", 1, b"GET /\0Content-Length\x009\0Host\0aaa"),
        ("upgrade_without_a_host", 4, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("answer_of_200", 5, b"0123456789abcdefHTTP/1.1 200 OK\r\n"),
        ("answer_without_an_upgrade", 5, b"0123456789abcdefHTTP/1.1 101 \r\nUpgrade: x\r\n"),
        (
            "answer_to_another_key",
            5,
            b"0123456789abcdefHTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n",
        ),
        (
            "answer_without_a_protocol",
            5,
            b"0123456789abcdefHTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
              Sec-WebSocket-Accept: ACCEPT\r\nX: \xff\r\nY: z\r\n",
        ),
        ("answer_twice", 5, b"0123456789abcdefHTTP/1.1 101 \r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Accept: x\r\n"),
        ("close_half", 6, b"\x03"),
        ("close_nothing", 6, b""),
        ("close_no_code", 6, b"\0\0"),
        ("close_no_text", 6, b"\x03\xe8a\xff"),
        ("close_long", 6, &[b'a'; 126]),
        ("proxy_tcp6", 7, b"PROXY TCP6 ::1 ::1 1 2\r\n"),
        ("proxy_unknown", 7, b"PROXY UNKNOWN any \r thing\r\n"),
        ("proxy_bare", 7, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n0123456789"),
        ("proxy_no_text", 7, b"PROXY \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\r\n"),
        ("proxy_no_family", 7, b"\r\n\r\n\0\r\nQUIT\n\x21\x41\0\0"),
        ("proxy_no_command", 7, b"\r\n\r\n\0\r\nQUIT\n\x22\x11\0\0"),
        ("request", 1, b"GET /\0Host\0a\0X\0 y \xff"),
        ("request_with_a_length", 1, b"POST /abc\0Host\0a\0Length\0abc"),
        ("request_with_two_bodies", 1, b"POST /\0Content-Length\x000\0Host\0a\0Transfer-Encoding\0chunked"),
        ("connect", 1, b"CONNECT a:1\0Host\0a"),
        ("no_target", 1, b"GET x\0\0\0a b\0\r"),
        ("response", 2, b"200\0Content-Length\x0012\0Host\0a\0Host\0b/"),
        ("response_unframed", 2, b"299\0Date\0today"),
        ("response_chunked", 2, b"200\0Date\0toda"),
        ("response_of_no_status", 2, b"999\0A\0b"),
        ("response_to_connect", 2, b"200\0Date\0to"),
        ("switching", 2, b"101\0Upgrade\0x"),
        ("chunks", 3, b"hello chunks\0Trailer\0x\0B\0y"),
        ("chunks_of_sixteen", 3, b"0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("chunks_with_bad_trailers", 3, b"a b\0Content-Length\x001"),
        (
            "upgrade",
            4,
            b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Protocol: chat, v2\r\nSec-WebSocket-Protocol: v3\r\nOrigin: http://a\r\n\
              Sec-WebSocket-Extensions: x\r\nContent-Length: 0\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\nPUT / HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "upgrade_with_a_body",
            4,
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n\
              0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: a, a\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\nOrigin: \xff\r\nOrigin: a\r\nOrigin: b\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\
              Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Protocol: d\r\nSec-WebSocket-Protocol: e\r\n\r\n\
              GET / HTTP/1.1\r\nHost: a\r\n\
              Sec-WebSocket-Protocol: 1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x\r\n\r\n",
        ),
        (
            "switches",
            5,
            b"0123456789abcdefHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: chat\r\n",
        ),
        (
            "switches_with_extensions",
            5,
            b"0123456789abcdefHTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: x\r\n",
        ),
        (
            "switches_to_another_protocol",
            5,
            b"0123456789abcdefHTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: chat, v2\r\n",
        ),
        ("close", 6, b"\x03\xe8bye"),
        ("proxy_line", 7, b"PROXY TCP4 192.168.100.200 10.0.0.1 65535 443\r\n"),
        (
            "proxy_header",
            7,
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51\x04\0\x01x",
        ),
    ];
    let seeds = seeds.map(|(name, what, data)| (name.to_owned(), [&[what], data].concat()));
    seeds.into()
}

/// What is done with them is said by the first byte.
fn writers() -> Vec<Seed> {
    let numbers = (0..=255).collect::<Vec<u8>>();
    let spaced = numbers.iter().flat_map(|byte| [*byte, *byte ^ 0x55, b' ']);
    let spaced = spaced.collect::<Vec<_>>();
    let text = b"one two\r\nthree\n\n5:hello,\x03ab\0\xc0".as_slice();
    let mut seeds = vec![];
    for (what, data) in [
        ("values", &spaced[..]),
        ("requests", b"SET key value".as_slice()),
        ("lengths", b"\0\x03hello".as_slice()),
        ("boxes", text),
        ("outputs", &numbers[..]),
        ("errors", b"GET / HTTP/2\r\n\r\n".as_slice()),
        ("fragments", text),
        ("policies", text),
    ]
    .into_iter()
    .enumerate()
    .map(|(choice, (what, data))| (what, [&[choice as u8], data].concat()))
    {
        seeds.push((what.to_owned(), data));
    }
    let choices: [(&str, u8, &[u8]); 14] = [
        ("lengths_u16", 2, b"\x01\0abc"),
        ("lengths_u16_le", 2, b"\x02\0abc"),
        ("lengths_u32", 2, b"\x03\0abc"),
        ("lengths_u32_le", 2, b"\x04\x01abc"),
        ("lengths_u64", 2, b"\x05\x05"),
        ("lengths_u64_le", 2, &numbers),
        ("outputs_full", 4, b"\x01abcdefghijklmnop"),
        ("fragments_long", 6, &spaced),
        (
            "errors_of_a_method",
            5,
            b"MMMMMMMMMMMMMMMMMMMMMMMMMMM / HTTP/1.1\r\n",
        ),
        ("errors_of_a_frame", 5, b"\x81\xfe\x01\0aaaa"),
        ("errors_of_text", 5, b"\x81\x02\xff\xff"),
        ("errors_of_lines", 5, b"abcdefgh"),
        (
            "boxes_of_http",
            3,
            b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nto the end",
        ),
        ("boxes_of_proxy", 3, b"PROXY UNKNOWN\r\n"),
    ];
    let choices = choices.map(|(name, what, data)| (name.to_owned(), [&[what], data].concat()));
    seeds.extend(choices);
    seeds
}
