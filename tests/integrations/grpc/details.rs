//! The details of a status, as a server sends them.

use bytes::Bytes;
use prost::Message;
use tonic::Code;

#[derive(Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// A `google.rpc.Status` with one `google.rpc.RetryInfo`.
pub(crate) fn retry_info(code: Code, ms: u32) -> Bytes {
    let delay = Delay { seconds: i64::from(ms / 1000), nanos: (ms % 1000 * 1_000_000) as i32 };
    let info = RetryInfo { retry_delay: Some(delay) };
    let detail = Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".into(),
        value: info.encode_to_vec(),
    };
    let status = Status { code: code as i32, message: "as ordered".into(), details: vec![detail] };
    status.encode_to_vec().into()
}
