//! The `wirewatch` program; everything it does is in the library.

fn main() -> std::process::ExitCode {
    wirewatch::cli::main()
}
