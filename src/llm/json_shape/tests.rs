use super::*;

#[test]
fn the_type_comes_before_the_event_type() {
    let name = |data: &'static str| event_name(data.as_bytes());
    assert_eq!(name(r#"{"event_type":"a"}"#).as_deref(), Some("a"));
    assert_eq!(name(r#"{"event_type":"a","type":"b"}"#).as_deref(), Some("b"));
    assert_eq!(name(r#"{"type":"\u0061"}"#).as_deref(), Some("a"));
    assert_eq!(name(r#"{"type":1,"event_type":"a"}"#).as_deref(), Some("a"));
}

#[test]
fn a_leading_name_is_read_without_the_rest() {
    for (data, name) in [
        (r#"{"type":"ping"#, Some("ping")),
        ("{ \"type\" :\n\"ping\",…", Some("ping")),
        (r#"{"event_type":"x"}"#, Some("x")),
        (r#"{"id":1,"type":"x"}"#, None),
        (r#"{"type":1}"#, None),
        (r#"{"types":"x"}"#, None),
        ("", None),
    ] {
        assert_eq!(leading_event_name(data.as_bytes()), name.map(str::as_bytes), "{data}");
    }
}
