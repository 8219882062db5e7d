//! What is allowed and not the endpoint's own is performed by an emulator.
