//! The program `usual`; see [`theusual::app`].

fn main() -> std::process::ExitCode {
    theusual::app::main()
}
