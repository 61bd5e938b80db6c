//! Tells a Linux program where it finds MLX's shared library, also when it is started by hand.
//!
//! `.cargo/linux` installs the library while mlx-sys is built, and says how. On macOS MLX is part of the program.

use std::env;
use std::path::{Path, PathBuf};

#[allow(dead_code, reason = "this script needs the places only")]
#[path = ".cargo/linux/choice.rs"]
mod choice;

fn main() {
    println!("cargo::rerun-if-changed=.cargo/linux/choice.rs");
    println!("cargo::rerun-if-env-changed=VITRINE_MLX");
    println!("cargo::rerun-if-env-changed=VITRINE_MLX_DIR");
    let variable = |name: &str| env::var(name).ok();
    if variable("CARGO_CFG_TARGET_OS").as_deref() != Some("linux") {
        return;
    }
    let out = PathBuf::from(variable("OUT_DIR").unwrap_or_default());
    let triple = variable("TARGET").unwrap_or_default();
    let home = choice::home(&out, &triple);
    let mlx = home.and_then(|home| Ok((choice::Mlx::choose(variable, &home)?, home)));
    // mlx-sys's build script says what is wrong, if anything is.
    let Ok((mlx, home)) = mlx else { return };

    search(&mlx.lib.display().to_string());
    // The same seen from the program, for a target folder that is moved or copied as a whole: the program lies one to
    // three folders deep in it (`release`, `<triple>/debug/deps`).
    let Some(target) = home.parent() else { return };
    if let Ok(lib) = mlx.lib.strip_prefix(target) {
        for up in ["..", "../..", "../../.."] {
            let lib = Path::new("$ORIGIN").join(up).join(lib);
            search(&lib.display().to_string());
        }
    }
}

/// Adds a folder to those that the program's loader searches for shared libraries.
fn search(folder: &str) {
    println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
}
