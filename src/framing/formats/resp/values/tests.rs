use super::*;

fn cut(format: Resp, bytes: &[u8]) -> Result<Cut, Malformed> {
    let mut format = format;
    format.cut(Window::new(&[], bytes))
}

fn value(bytes: &[u8]) {
    let payload = bytes.len();
    let whole = Ok(Cut::Frame {
        head: 0,
        payload,
        tail: 0,
    });
    let shown = bytes.escape_ascii();
    assert_eq!(cut(Resp::new(), &[bytes, b"+"].concat()), whole, "{shown}");
    for end in 0..payload {
        let part = cut(Resp::new(), &bytes[..end]);
        assert!(matches!(part, Ok(Cut::More { .. })), "{shown}: {part:?}");
    }
}

#[test]
fn every_type_ends_where_it_ends() {
    let values: [&[u8]; 26] = [
        b"+OK\r\n",
        b"+\r\n",
        b"-ERR no\r\n",
        b":0\r\n",
        b":-9223372036854775808\r\n",
        b"$0\r\n\r\n",
        b"$2\r\n\r\n\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",3.141\r\n",
        b",-1e+10\r\n",
        b",-inf\r\n",
        b"(3492890328409238509324850943850943825024385\r\n",
        b"!3\r\nERR\r\n",
        b"=4\r\ntxt:\r\n",
        b"%1\r\n+a\r\n:1\r\n",
        b"~1\r\n+a\r\n",
        b">1\r\n+a\r\n",
        b"|1\r\n+a\r\n:1\r\n*1\r\n|0\r\n:1\r\n",
        b"$?\r\n;3\r\nabc\r\n;0\r\n",
        b"*?\r\n*?\r\n.\r\n:1\r\n.\r\n",
        b"%?\r\n+a\r\n%?\r\n.\r\n.\r\n",
    ];
    values.into_iter().for_each(value);
}

#[test]
fn what_is_wrong_is_reported_where_it_is() {
    let wrong: [(&[u8], usize, &str); 28] = [
        (b"PING\r\n", 0, "no type of RESP"),
        (b"+a\n", 2, "line feed without a carriage return"),
        (b"+a\rb\r\n", 2, "carriage return without a line feed"),
        (b":\r\n", 1, "integer that is no number"),
        (b":9223372036854775808\r\n", 1, "integer that is no number"),
        (b":1\rx", 2, "carriage return without a line feed"),
        (b"$01\r\n", 1, "length that is no number"),
        (b"$-2\r\n", 1, "negative length"),
        (b"~-1\r\n", 1, "negative length"),
        (b"$536870913\r\n", 1, "string that is too long"),
        (b"$2\r\nabc\r\n", 6, "string without its CRLF"),
        (b"$2\r\nab\rc", 7, "string without its CRLF"),
        (b"_x\r\n", 1, "null that says something"),
        (b"#T\r\n", 1, "boolean that is neither t nor f"),
        (b",1.\r\n", 1, "double that is no number"),
        (b",.5\r\n", 1, "double that is no number"),
        (b",1e\r\n", 1, "double that is no number"),
        (b",Infinity\r\n", 1, "double that is no number"),
        (b"(1x\r\n", 2, "big number that is no number"),
        (b"(-\r\n", 2, "big number that is no number"),
        (b"=3\r\ntxt\r\n", 1, "verbatim string without its format"),
        (b"=5\r\ntext:\r\n", 7, "verbatim string without its format"),
        (b".\r\n", 0, "end of a stream where none is open"),
        (b"*1\r\n.\r\n", 4, "end of a stream where none is open"),
        (
            b"%?\r\n+a\r\n.\r\n",
            8,
            "streamed map that ends behind a key",
        ),
        (b"*?\r\n|0\r\n.\r\n", 8, "attributes of nothing"),
        (b"$?\r\n+a\r\n", 4, "streamed string without its end"),
        (b"*1\r\n>1\r\n:1\r\n", 4, "push inside of a value"),
    ];
    for (bytes, at, what) in wrong {
        let error = cut(Resp::new(), bytes).unwrap_err();
        let shown = bytes.escape_ascii();
        assert_eq!((error.at, error.what), (at, what), "{shown}");
    }
    let long = [&b":"[..], &[b'0'; 400]].concat();
    assert_eq!(
        cut(Resp::new(), &long).unwrap_err().what,
        "number that is too long"
    );
}

#[test]
fn version_2_has_five_types() {
    for bytes in [
        &b"+OK\r\n"[..],
        b"-E\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"*1\r\n:1\r\n",
    ] {
        assert!(cut(Resp::version_2(), bytes).is_ok());
    }
    for bytes in [
        &b"_\r\n"[..],
        b"%0\r\n",
        b">0\r\n",
        b"$?\r\n",
        b"*?\r\n",
        b"(1\r\n",
        b".\r\n",
        b";1\r\n",
    ] {
        assert!(cut(Resp::version_2(), bytes).is_err());
    }
}

#[test]
fn aggregates_nest_as_deep_as_they_may() {
    let nested = |depth: usize| [b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat();
    for most in [0, 1, 9, DEEPEST] {
        let format = Resp::new().max_depth(most);
        assert!(cut(format.clone(), &nested(most)).is_ok());
        let error = cut(format, &nested(most + 1)).unwrap_err();
        assert_eq!(
            (error.at, error.what),
            (4 * most, "value that nests too deeply")
        );
    }
    assert!(cut(Resp::new().max_depth(1000), &nested(DEEPEST + 1)).is_err());
}

#[test]
fn only_one_whole_value_is_one_frame() {
    let at = |payload: &[u8]| match Resp::new().wrap(payload) {
        Ok(wrapping) => {
            assert!(wrapping.is_empty());
            None
        }
        Err(FrameError::NotOneFrame { at, .. }) => Some(at),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(at(b":1\r\n"), None);
    assert_eq!(at(b":1\r\n:2\r\n"), Some(4));
    assert_eq!(at(b":x\r\n"), Some(1));
    assert_eq!(at(b"*1\r\n"), Some(4));
    assert_eq!(at(b""), Some(0));
}
