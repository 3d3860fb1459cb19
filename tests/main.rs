//! The integration tests: the real program over real sockets. One binary, so that it is linked once.

mod support;
