// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program: reads the arguments, runs the command, reports, exits. The only
//! place that ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    certkeep::run(std::env::args_os()).into()
}
