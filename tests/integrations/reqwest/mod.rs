//! `reqwest::Client` as a guarded service and behind the middleware of reqwest-middleware, with real servers whose sockets
//! break in every way.

mod client;
mod connector;
mod cycle;
mod faults;
mod given_up;
mod head;
mod hosts;
mod http2;
mod llm;
mod page;
mod retry;
mod whole;
