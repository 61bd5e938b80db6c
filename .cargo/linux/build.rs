//! mlx-sys's build script on Linux, in place of its own, which is for macOS; README.md says how it gets here.
//!
//! Finds or installs MLX's Linux library, compiles mlx-c against it, and writes the bindings that mlx-sys includes.
//! It runs in mlx-sys's own folder. What lies beside this file is compiled in, so that cargo builds the script anew
//! when any of it changes, and runs it only then.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

mod choice;
mod explain;
mod install;

/// mlx-sys's own choice of headers and bindgen settings.
mod bindgen_config {
    #![allow(dead_code, reason = "upstream's macOS script uses more of it")]
    include!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/bindgen_config.rs"
    ));
}

use choice::{LIBCLANG, Mlx, Wheels};
use install::Installation;

/// mlx-c's sources in mlx-sys's folder.
const MLX_C: &str = "src/mlx-c";

fn main() {
    if let Err(sentence) = build() {
        // No panic: its backtrace would bury the sentence.
        eprintln!("\n{sentence}\n");
        process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let triple = variable("TARGET")?;
    let home = choice::home(&out, &triple)?;
    let mlx = Mlx::choose(|name| env::var(name).ok(), &home)?;
    refuse_unknown_machines(&mlx, &triple)?;
    let compiler = cxx20_compiler(&out)?;

    check_version(&mlx)?;
    // What may be missing comes before what takes long, and fails with nothing but its sentence.
    if let Some(wheels) = &mlx.wheels {
        install(wheels, &home, &triple)?;
    }
    use_libclang(&home, &variable("HOST")?)?;

    compile_mlx_c(&mlx, &out)?;
    write_bindings(&compiler, &out)?;
    tell_cargo(&mlx);
    Ok(())
}

fn install(wheels: &Wheels, home: &Path, triple: &str) -> Result<PathBuf, String> {
    let python = OsStr::new("python3");
    let installation = Installation {
        wheels,
        home,
        triple,
        python,
    };
    installation.ensure()
}

/// A variable that cargo sets for build scripts.
fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("Cargo's variable {name} cannot be read: {error}."))
}

/// MLX's wheels exist for Linux with glibc on two processors. A library of the user's own may be for any machine.
fn refuse_unknown_machines(mlx: &Mlx, triple: &str) -> Result<(), String> {
    let known = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
    if mlx.wheels.is_none() {
        return Ok(());
    }
    if !known.contains(&triple) {
        return Err(format!(
            "MLX has no Linux library for {triple}, only for {}: set VITRINE_MLX_DIR to a folder that holds one for it.",
            known.join(" and ")
        ));
    }
    if variable("HOST")? != triple {
        return Err(format!(
            "MLX's library for {triple} is installed on such a machine only: build there, or set VITRINE_MLX_DIR to a folder that holds it."
        ));
    }
    Ok(())
}

/// The C++ compiler's command, once it has shown that it can do what mlx-c and MLX's headers ask for.
fn cxx20_compiler(out: &Path) -> Result<cc::Tool, String> {
    let install = "install one (Debian and Ubuntu: `sudo apt-get install g++`), or set CXX";
    let compiler = cxx()
        .cargo_metadata(false)
        .try_get_compiler()
        .map_err(|error| format!("There is no C++ compiler ({error}): {install}."))?;
    let probe = out.join("probe.cpp");
    fs::write(
        &probe,
        "#include <compare>\n#include <concepts>\n#include <span>\n",
    )
    .map_err(|error| cannot_write(&probe, &error))?;
    let result = compiler
        .to_command()
        .arg("-fsyntax-only")
        .arg(&probe)
        .output();
    let name = compiler.path().display();
    match result {
        Ok(output) if output.status.success() => Ok(compiler),
        Ok(_) => Err(format!(
            "The C++ compiler `{name}` cannot compile C++20, which MLX needs: {install} to GCC 11, Clang 14 or newer."
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "There is no C++ compiler `{name}`, which mlx-c is compiled with: {install}."
        )),
        Err(error) => Err(format!(
            "The C++ compiler `{name}` does not start ({error}): {install}."
        )),
    }
}

fn cxx() -> cc::Build {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").warnings(false).debug(false);
    build
}

/// mlx-c calls the MLX it was written for, and no other.
fn check_version(mlx: &Mlx) -> Result<(), String> {
    let cmake = Path::new(MLX_C).join("CMakeLists.txt");
    let cmake = fs::read_to_string(&cmake).map_err(|error| cannot_read(&cmake, &error))?;
    let wanted = word_after(&cmake, "GIT_TAG v").trim_end_matches(')');
    let Some(wheels) = &mlx.wheels else {
        let header = mlx.include.join("mlx/version.h");
        let header = fs::read_to_string(&header).map_err(|error| cannot_read(&header, &error))?;
        let part = |name: &str| word_after(&header, &format!("#define MLX_VERSION_{name} "));
        let found = format!("{}.{}.{}", part("MAJOR"), part("MINOR"), part("PATCH"));
        return if found == wanted {
            Ok(())
        } else {
            Err(format!(
                "VITRINE_MLX_DIR holds MLX {found}, but this mlx-sys is written for {wanted}: name a folder with that version, or unset it."
            ))
        };
    };
    if wheels.version() == wanted {
        return Ok(());
    }
    Err(format!(
        "This mlx-sys is written for MLX {wanted}, but .cargo/linux/versions.toml says {}: write `mlx = \"{wanted}\"` there.",
        wheels.version()
    ))
}

/// What stands after `mark` in `text`, up to the next white space.
fn word_after<'a>(text: &'a str, mark: &str) -> &'a str {
    let rest = text.split_once(mark).map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or_default()
}

/// Compiles mlx-c, and the one function of macOS that mlx-rs calls, into static libraries.
fn compile_mlx_c(mlx: &Mlx, out: &Path) -> Result<(), String> {
    let failed =
        |error: cc::Error| format!("mlx-c does not compile against MLX's headers: {error}");
    let shim = out.join("shim.h");
    write(&shim, include_str!("shim.h"))?;
    // All sources as one: MLX's large headers are then read once, in 12 seconds instead of 100.
    let all = out.join("mlx_c.cpp");
    write(&all, &mlx_c_sources()?)?;
    cxx()
        .file(&all)
        .include(MLX_C)
        .include(&mlx.include)
        .flag("-include")
        .flag(&shim)
        .try_compile("mlxc")
        .map_err(failed)?;

    let clock = out.join("mach_time.c");
    write(&clock, include_str!("mach_time.c"))?;
    cc::Build::new()
        .file(&clock)
        .try_compile("mach_time")
        .map_err(failed)
}

/// A C++ source that includes each of mlx-c's.
fn mlx_c_sources() -> Result<String, String> {
    let folder = fs::canonicalize(Path::new(MLX_C).join("mlx/c"))
        .map_err(|error| format!("mlx-c's sources cannot be found: {error}."))?;
    let mut sources = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| cannot_read(&folder, &error))? {
        let source = entry.map_err(|error| cannot_read(&folder, &error))?.path();
        if source.extension() == Some(OsStr::new("cpp")) {
            sources.push(format!("#include \"{}\"\n", source.display()));
        }
    }
    sources.sort();
    Ok(sources.concat())
}

/// Has bindgen load libclang from the user's `LIBCLANG_PATH`, else from the wheel, which is installed if need be.
fn use_libclang(home: &Path, host: &str) -> Result<(), String> {
    if env::var_os("LIBCLANG_PATH").is_none() {
        let folder = install(&LIBCLANG, home, host)?;
        // SAFETY: this program has a single thread.
        unsafe { env::set_var("LIBCLANG_PATH", folder.join("clang/native")) };
    }
    Ok(())
}

/// Writes mlx-c's declarations in Rust to `bindings.rs`, which mlx-sys includes.
fn write_bindings(compiler: &cc::Tool, out: &Path) -> Result<(), String> {
    let mlx_c = Path::new(MLX_C);
    let headers = bindgen_config::discover_headers(mlx_c)
        .map_err(|error| format!("mlx-c's headers cannot be found: {error}."))?;
    let builder = bindgen_config::builder(mlx_c, &headers)
        // The wheel has libclang without its `stddef.h` and the like: the compiler's serve.
        .clang_args(["-isystem".to_owned(), compiler_headers(compiler)])
        .clang_args([
            "-include".to_owned(),
            out.join("shim.h").display().to_string(),
        ]);
    // bindgen panics where it cannot load libclang.
    panic::set_hook(Box::new(|_| {}));
    let bindings = panic::catch_unwind(AssertUnwindSafe(|| builder.generate()))
        .map_err(|panic| {
            let reason = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            format!(
                "libclang cannot be loaded from {}: {}",
                env::var("LIBCLANG_PATH").unwrap_or_default(),
                reason.lines().next().unwrap_or_default()
            )
        })?
        .map_err(|error| format!("bindgen cannot read mlx-c's headers: {error}."))?;
    let file = out.join("bindings.rs");
    write(&file, &with_signed_pad_mode(&bindings.to_string()))
}

/// mlx-rs hands `mlx_pad` its mode as `*const i8`, which is C's `char` on x86-64 but not on Arm, where it is unsigned.
fn with_signed_pad_mode(bindings: &str) -> String {
    match bindings.split_once("pub fn mlx_pad(") {
        None => bindings.to_owned(),
        Some((before, after)) => {
            let after = after.replacen("*const ::std::os::raw::c_char", "*const i8", 1);
            format!("{before}pub fn mlx_pad({after}")
        }
    }
}

/// The folder of the compiler's own C headers.
fn compiler_headers(compiler: &cc::Tool) -> String {
    let output = Command::new(compiler.path())
        .arg("-print-file-name=include")
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// What to link, and when to run again.
fn tell_cargo(mlx: &Mlx) {
    println!("cargo:rustc-link-search=native={}", mlx.lib.display());
    println!("cargo:rustc-link-lib=dylib=mlx");
    for name in ["VITRINE_MLX", "VITRINE_MLX_DIR", "LIBCLANG_PATH"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    // Also when it was removed.
    println!(
        "cargo:rerun-if-changed={}",
        mlx.lib.join("libmlx.so").display()
    );
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| cannot_write(file, &error))
}

fn cannot_write(file: &Path, error: &dyn Error) -> String {
    format!("{} cannot be written: {error}.", file.display())
}

fn cannot_read(folder: &Path, error: &dyn Error) -> String {
    format!("{} cannot be read: {error}.", folder.display())
}
