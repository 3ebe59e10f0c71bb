//! The responses of LLM providers over real sockets: every file of `tests/data/llm`, in pieces of any size, through a
//! guarded client.

mod bedrock;
mod client;
mod corpus;
mod cut;
mod each;
mod event_stream;
mod hold;
mod outage;
mod probe;
mod random;
mod server;
mod whole;
