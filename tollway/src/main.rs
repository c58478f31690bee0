//! The `tollway` program: reads the command line, does what it says, and ends with a documented exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollway::run(std::env::args_os()).into()
}
