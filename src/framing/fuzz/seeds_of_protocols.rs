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
        _ => vec![],
    }
}
