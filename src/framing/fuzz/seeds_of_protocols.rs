//! The seeds of the formats of whole protocols.

use super::seeds::{Seed, streams};

/// The seeds of `target`, by name.
pub(super) fn of(target: &str) -> Vec<Seed> {
    match target {
        "framing_resp" => streams(
            &[28, 29, 30, 5],
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
            &[0, 7, 8, 16],
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
        _ => vec![],
    }
}
