//! What the state machine and its sentences promise.
