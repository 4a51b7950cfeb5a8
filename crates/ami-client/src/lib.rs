//! Owns the sockets of AMI sessions and decides nothing.
