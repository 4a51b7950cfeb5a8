//! Simulated PBXs that speak the Asterisk Manager Interface.
